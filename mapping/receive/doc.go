// Package receive takes Loops' webhooks in: request, verified delivery, entry,
// one transaction, answer.
//
// It answers 2xx only for what is durable. What a signed body holds never makes
// it answer 5xx: such a delivery is kept and quarantined, since a retry would
// bring the same bytes. Deliveries that arrive while a commit runs share the
// next one; a delivery alone waits for nobody.
package receive
