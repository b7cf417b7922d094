package tui

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// ways are what the capture page has to copy.
var ways = []string{"cloudflared tunnel --url http://127.0.0.1:8787", "caddy reverse-proxy --from your.name.example --to 127.0.0.1:8787",
	"ssh -N -R 8787:127.0.0.1:8787 you@your.name.example"}

// publishing is a Listen that can be told its public URL, and what it was told.
func publishing(c *Config) (told *string) {
	told = new(string)
	c.Listen.Judge = func(text string) (string, error) {
		if !strings.HasSuffix(text, ".example") {
			return "", errors.New("write it as https://your.name.example")
		}
		return text + "/webhooks/loops", nil
	}
	c.Listen.Publish = func(text string) { *told = text }
	return told
}

// Lines to copy stand there until the public URL is known, which can be typed while the mapper
// runs; the first webhook that comes by it is the proof.
func TestPublicURL(t *testing.T) {
	var told *string
	d := start(t, 100, 30, func(c *Config) { told = publishing(c) })
	d.has(ways...).has("U takes the")
	d.keys("U").has("public URL: https://", "write it as https://your.name.example")
	d.keys("hooks", "enter").has("public URL: https://hooks") // what is wrong with it stands beside it
	if *told != "" {
		t.Errorf("%q is taken", *told)
	}
	d.keys(".example").has("ok: Loops calls /webhooks/loops there")
	d.keys("enter").has("Paste this URL in Loops", "    https://hooks.example/webhooks/loops", "nothing has come by it yet: the first webhook that does is the proof")
	if s := d.screen(); *told != "https://hooks.example" || strings.Contains(s, "cloudflared") || strings.Contains(s, "127.0.0.1") {
		t.Errorf("%q is taken:\n%s", *told, s)
	}
	at := time.Date(2026, 11, 23, 8, 3, 20, 0, time.UTC)
	d.send(arrivalMsg{Arrival{At: at, Code: 401, Problem: "the signature is wrong"}})
	d.has("nothing has come by it yet")
	d.send(arrivalMsg{Arrival{At: at, Code: 401, Problem: "the signature is wrong", Public: true}})
	d.send(arrivalMsg{Arrival{At: at.Add(time.Minute), Code: 401, Problem: "the signature is wrong", Public: true}})
	d.has("proven: a webhook came by it at 08:03:20")

	// Esc leaves all as it is; another one is to be proven anew.
	d.keys("U").has("public URL: https://hooks.example/webhooks/loops")
	d.keys("esc").has("proven: ")
	d.keys("U", "ctrl+u", "https://other.example")
	d.has("ok: Loops").keys("enter").has("https://other.example/webhooks/loops", "nothing has come by it yet")
	d = start(t, 100, 30, func(c *Config) { told = publishing(c) })
	d.keys("U", "https://pasted.example").has("ok: Loops").keys("enter").has("    https://pasted.example/webhooks/loops") // whole, behind what stands there
	if *told != "https://pasted.example" {
		t.Errorf("%q is taken", *told)
	}
	d = start(t, 100, 30, func(c *Config) { c.Listen.Publish = nil })
	d.has("--public-url").keys("U").has("who started this says by which URL Loops reaches it: --public-url")
}
