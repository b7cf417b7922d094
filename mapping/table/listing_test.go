package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"loopmap/mapping"
)

// A list reads no more of a body than is asked for, and a page ends where its bodies
// are large; together the pages are all.
func TestListing(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		ctx := context.Background()
		s, m := d.open(), d.mapping()
		large := bytes.Repeat([]byte(" "), 1<<20)
		for i := range 5 {
			e := mapping.Enter(m, mapping.Delivery{ID: fmt.Sprintf("msg_%d", i), Received: time.Unix(1800000000, 0), Body: append([]byte(fmt.Sprintf("{%q:1}", fmt.Sprint(i))), large...)})
			if _, err := s.Commit(ctx, []mapping.Entry{e}); err != nil {
				t.Fatal(err)
			}
		}
		n := 0
		err := s.Each(ctx, Filter{Head: 5}, func(r Record) error {
			if n++; string(r.Body) != fmt.Sprintf(`{"%d":`, 5-n) || r.Forgotten {
				t.Errorf("%s: %q", r.ID, r.Body)
			}
			return nil
		})
		if err != nil || n != 5 {
			t.Errorf("%d records, %v", n, err)
		}
		var ids []string
		for f := (Filter{Oldest: true}); ; {
			page, err := s.Page(ctx, f, 2<<20)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			if len(page) > 2 {
				t.Errorf("a page has %d", len(page))
			}
			for _, r := range page {
				ids, f.After = append(ids, r.ID), r.Seq
			}
		}
		if fmt.Sprint(ids) != "[msg_0 msg_1 msg_2 msg_3 msg_4]" {
			t.Errorf("the pages have %v", ids)
		}
		enough := errors.New("enough")
		if err := s.Each(ctx, Filter{}, func(Record) error { return enough }); !errors.Is(err, enough) {
			t.Error(err)
		}
		d.exec("UPDATE loopmap_deliveries SET body = NULL WHERE id = 'msg_4'")
		if err := s.Each(ctx, Filter{Head: 5, Limit: 1}, func(r Record) error {
			if !r.Forgotten || len(r.Body) > 0 {
				t.Errorf("a body that was dropped: %+v", r)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
}
