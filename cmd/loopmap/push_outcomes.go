package main

import (
	"slices"

	"loopmap/mapping/outgoing"
)

// mostOutcomes bounds what is kept of outcomes for printing: loopmap_pushes has all.
const mostOutcomes = 1000

func wentWrong(s outgoing.Status) bool {
	return s == outgoing.Failed || s == outgoing.Pending
}

// add keeps an outcome. Where there are too many, those that went wrong are worth more.
func (p *pushed) add(o outcome) {
	if len(p.Outcomes) < mostOutcomes {
		p.Outcomes = append(p.Outcomes, o)
		return
	}
	p.More++
	if !wentWrong(outgoing.Status(o.Status)) {
		return
	}
	well := func(o outcome) bool { return !wentWrong(outgoing.Status(o.Status)) }
	if i := slices.IndexFunc(p.Outcomes, well); i >= 0 {
		p.Outcomes = append(slices.Delete(p.Outcomes, i, i+1), o)
	}
}
