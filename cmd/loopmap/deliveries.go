package main

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"loopmap/mapping"
	"loopmap/mapping/table"
)

// statuses are those that a delivery can have.
var statuses = []string{string(mapping.Applied), string(mapping.Ignored), string(mapping.Quarantined), string(mapping.Pending)}

func (a *app) deliveriesCommand() *cobra.Command {
	var f table.Filter
	var status, event, email string
	var keys []string
	c := &cobra.Command{
		Use:     "deliveries [FILE]",
		Short:   "List what came in",
		Example: "loopmap deliveries --status quarantined\nloopmap deliveries --email dana@northwind.example",
		Args:    atMost(1),
		RunE: func(c *cobra.Command, args []string) error {
			f.Status = mapping.Status(status)
			switch f.Status {
			case "", mapping.Applied, mapping.Ignored, mapping.Quarantined, mapping.Pending:
			default:
				return oneOf("--status", status, statuses)
			}
			switch {
			case f.Limit < 0:
				return atLeast("--limit", 0, f.Limit, "0 shows all")
			case keys != nil && email != "":
				return together("--row", "--email")
			}
			if event != "" {
				f.Events = []string{event}
			}
			f.Keys = keys
			return a.deliveries(c.Context(), fileArg(args), f, email)
		},
	}
	c.Flags().IntVar(&f.Limit, "limit", 50, "list at most `N`, the newest; 0 lists all")
	c.Flags().StringVar(&status, "status", "", "only those of this `STATUS`: applied, ignored, quarantined or pending")
	c.Flags().StringVar(&event, "event", "", "only this `EVENT`")
	c.Flags().StringArrayVar(&keys, "row", nil, "only those about the row with this `KEY`; may be repeated")
	c.Flags().StringVar(&email, "email", "", "only those about the rows with this `EMAIL`, and those that became no row")
	offer(c, "status", fixed(statuses))
	offer(c, "event", func(_ *cobra.Command, args []string) []string { return a.eventsFor(fileArg(args)) })
	var bytes bool
	show := &cobra.Command{
		Use:   "show ID [FILE]",
		Short: "Print one delivery, body and all",
		Example: "loopmap deliveries show msg_2f8q0zr41x7k\n" +
			"loopmap deliveries show msg_2f8q0zr41x7k --body > body.json",
		Args: counted(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, args []string) error {
			return a.showDelivery(c.Context(), args[0], fileArg(args[1:]), bytes)
		},
	}
	show.Flags().BoolVar(&bytes, "body", false, "print the body alone, byte for byte (not to a terminal)")
	show.ValidArgsFunction = first(func(c *cobra.Command) []string { return a.idsFor(c.Context(), defaultFile) })
	c.AddCommand(show)
	return c
}

// delivery is a line of the journal as data.
type delivery struct {
	ID         string         `json:"id"`
	Event      string         `json:"event"`
	EventTime  *time.Time     `json:"event_time"`
	ReceivedAt time.Time      `json:"received_at"`
	Status     mapping.Status `json:"status"`
	Reason     string         `json:"reason,omitempty"`
	RowKey     string         `json:"row_key,omitempty"`
	Mapping    string         `json:"mapping,omitempty"`
	Email      string         `json:"email,omitempty"`
	Body       *string        `json:"body,omitempty"`        // when it is UTF-8 text
	BodyBase64 []byte         `json:"body_base64,omitempty"` // when it is not
	Forgotten  bool           `json:"body_dropped,omitempty"`
}

func asData(r table.Record) delivery {
	d := delivery{ID: r.ID, Event: r.Event, ReceivedAt: r.Received, Status: r.Status, Reason: r.Reason,
		RowKey: r.RowKey, Mapping: r.Mapping, Forgotten: r.Forgotten, Email: emailOf(r)}
	if !r.EventTime.IsZero() {
		d.EventTime = &r.EventTime
	}
	return d
}

// openJournal opens a mapping's database for reading; nil when there is none yet.
func (a *app) openJournal(ctx context.Context, file string) (*table.Store, error) {
	_, url, err := a.readMapping(file)
	if err != nil {
		return nil, err
	}
	store, err := table.Open(ctx, table.Options{URL: url, Dir: folder(file)})
	if errors.Is(err, table.ErrNoDatabase) {
		return nil, nil
	}
	return store, err
}

func (a *app) deliveries(ctx context.Context, file string, f table.Filter, email string) error {
	m, _, err := a.readMapping(file)
	if err != nil {
		return err
	}
	store, err := a.openJournal(ctx, file)
	if err != nil {
		return err
	}
	list := []delivery{}
	if store != nil {
		defer store.Close()
		f.Head = headOf
		add := func(r table.Record) error {
			list = append(list, asData(r))
			return nil
		}
		if email != "" {
			err = store.FindByEmail(ctx, m, email, f, add)
		} else if f.Keys, err = store.CanonicalKeys(ctx, m, f.Keys); err == nil {
			err = store.Each(ctx, f, add)
		}
		if err != nil {
			return err
		}
	}
	rows := [][]string{{"RECEIVED", "EVENT", "STATUS", "EMAIL", "ID", "REASON"}}
	for _, d := range list {
		rows = append(rows, []string{d.ReceivedAt.Local().Format(time.DateTime), d.Event, string(d.Status), d.Email, d.ID, d.Reason})
	}
	if a.output == "json" {
		return printJSON(a.stdout, list)
	}
	if len(list) == 0 {
		if len(f.Events) > 0 || f.Status != "" || f.Keys != nil || email != "" {
			a.say("no delivery matches")
		} else {
			a.say("no deliveries yet")
		}
		return nil
	}
	return a.printFitted(rows, 0, 2, 4) // all but the event, the email and the reason
}

func (a *app) showDelivery(ctx context.Context, id, file string, bytes bool) error {
	store, err := a.openJournal(ctx, file)
	if err != nil {
		return err
	}
	r, err := table.Record{}, table.ErrNoDelivery
	if store != nil {
		defer store.Close()
		r, err = store.Delivery(ctx, id)
	}
	if errors.Is(err, table.ErrNoDelivery) {
		return fmt.Errorf("%s: %w\nhint: loopmap deliveries lists them", id, err)
	} else if err != nil {
		return err
	}
	if bytes {
		if isTerminal(a.stdout) {
			return usage("--body prints bytes as they came, which a terminal could take as commands\nhint: send it to a file or a pipe")
		}
		_, err := a.stdout.Write(r.Body)
		return err
	}
	d := asData(r)
	if a.output == "json" {
		if text := string(r.Body); utf8.ValidString(text) {
			d.Body = &text
		} else {
			d.BodyBase64 = r.Body
		}
		return printJSON(a.stdout, d)
	}
	when := ""
	if d.EventTime != nil {
		when = d.EventTime.Format(time.RFC3339)
	}
	err = printTable(a.stdout, [][]string{
		{"id", d.ID}, {"event", d.Event}, {"event time", when}, {"received", d.ReceivedAt.Format(time.RFC3339Nano)},
		{"status", string(d.Status)}, {"reason", d.Reason}, {"row key", d.RowKey}, {"mapping", d.Mapping},
	})
	if err == nil {
		body := pretty(r.Body)
		if r.Forgotten {
			body = "the body is not kept any more (journal.keep)"
		}
		_, err = fmt.Fprintf(a.stdout, "\n%s\n", body)
	}
	return err
}
