package main

import (
	"errors"
	"net/url"
	"strings"

	"loopmap/mapping/receive"
)

// publicURL is the URL by which Loops reaches a receiver, of the webhooks themselves;
// nil where none was given.
type publicURL struct{ u *url.URL }

// parsePublic reads --public-url: of the host, or of the webhooks.
func parsePublic(text string) (p publicURL, err error) {
	if text == "" {
		return p, nil
	}
	u, err := url.Parse(text)
	plain := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	if !plain || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return p, usage("--public-url wants an address that webhooks can be sent to, not %q\n"+
			"hint: write it as https://your.name.example, or with the path that a proxy keeps", text)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(u.Path, receive.Path) {
		u.Path += receive.Path
	}
	u.RawPath = ""
	return publicURL{u}, nil
}

// judgePublic says what is to be pasted in Loops for a public URL that a person types.
func judgePublic(text string) (shown string, err error) {
	p, err := parsePublic(text)
	if err != nil || p.u == nil {
		return "", errors.New("write it as https://your.name.example")
	}
	return p.shown(), nil
}

// shown is what is to be pasted in Loops; "" where nothing was given.
func (p publicURL) shown() string {
	if p.u == nil {
		return ""
	}
	return p.u.String()
}

// of is it for a receiver.
func (p publicURL) of() receive.Public { return receive.Public{Host: p.host(), Path: p.path()} }

func (p publicURL) host() string {
	if p.u == nil {
		return ""
	}
	return p.u.Hostname()
}

// path is where webhooks come when a proxy keeps the path.
func (p publicURL) path() string {
	if p.u == nil {
		return ""
	}
	return p.u.Path
}
