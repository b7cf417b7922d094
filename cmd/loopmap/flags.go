package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"loopmap/mapping/body"
)

// flagError is a mistake in a flag, in words: with the flag that was probably meant.
func flagError(c *cobra.Command, err error) error {
	hint := c.CommandPath() + " --help lists the flags"
	var unknown *pflag.NotExistError
	var value *pflag.InvalidValueError
	var empty *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		if near := nearestFlag(c, unknown); near != "" {
			hint = "did you mean --" + near + "?"
		}
	case errors.As(err, &empty):
		return withoutValue(empty.GetFlag())
	case errors.As(err, &value):
		f := value.GetFlag()
		wants := map[string]string{"int": "a whole number", "bool": "true or false", "duration": "a time such as 30s"}[f.Value.Type()]
		if wants == "" {
			return usage("--%s does not take %q: %v\nhint: %s", f.Name, value.GetValue(), value.Unwrap(), hint)
		}
		return usage("--%s wants %s, not %q\nhint: %s", f.Name, wants, value.GetValue(), hint)
	}
	return usage("%v\nhint: %s", err, hint)
}

// nearestFlag is the flag that was probably meant, also where one dash is missing: -lisen.
func nearestFlag(c *cobra.Command, unknown *pflag.NotExistError) string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	typed := unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		typed, _, _ = strings.Cut(short, "=")
	}
	if len(typed) < 2 {
		return ""
	}
	return body.Nearest(typed, names)
}

func withoutValue(f *pflag.Flag) error {
	name, _ := pflag.UnquoteUsage(f)
	return usage("--%s was given without a value\nhint: leave it out, or write --%s %s", f.Name, f.Name, strings.ToUpper(name))
}

// noneEmpty refuses flags that were given without a value, as "$UNSET" gives them: they
// must not count as left out.
func noneEmpty(c *cobra.Command) (err error) {
	c.Flags().Visit(func(f *pflag.Flag) {
		empty := f.Value.Type() == "string" && f.Value.String() == ""
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				empty = empty || v == ""
			}
		}
		if empty && err == nil {
			err = withoutValue(f)
		}
	})
	return err
}

// completion makes a shell that is not known a mistake.
func completion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		var shells []string
		for _, sub := range c.Commands() {
			shells = append(shells, sub.Name())
			sub.Args = exactly(0)
			sub.Example = fmt.Sprintf("loopmap completion %s > loopmap.%[1]s", sub.Name())
			sub.Long = strings.ReplaceAll(sub.Long, "you can install it via", "you can\ninstall it via")
		}
		c.Args = nil
		c.Example = "loopmap completion " + shells[0] + " --help   # says where it goes"
		c.RunE = func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("completion wants the name of a shell\nhint: one of %s", strings.Join(shells, ", "))
			}
			return usage("there is no completion for %q\nhint: there is for %s", args[0], strings.Join(shells, ", "))
		}
	}
}
