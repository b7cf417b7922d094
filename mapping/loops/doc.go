// Package loops is what Loops says on the wire: the signature of its webhooks,
// the events that it knows, and bodies as it sends them (Loops docs: Webhooks;
// the OpenAPI document, webhooks section, version 1.21).
package loops
