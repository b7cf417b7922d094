//go:build linux && !race

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Fifty people look on while nothing happens: what that costs the process that
// receives. Run it with -v for the figures.
func TestSSHFiftySessions(t *testing.T) {
	t.Parallel() // of a process of its own
	const people, most, busiest = 50, 100 << 20, 0.05
	for name, key := range map[string]string{"the map": "", "the deliveries": "4"} {
		t.Run(name, func(t *testing.T) {
			ada := newPerson(t, "ada")
			sync, dir, addr, sshAddr := startSSHSync(t, ada.line(), "--sessions", strconv.Itoa(people), "--sessions-per-key", strconv.Itoa(people))
			runLoopmap(t, dir, "trigger", "contact.created", "--to", "http://"+addr+"/webhooks/loops", "--count", "500")
			pid := sync.cmd.Process.Pid
			before := memoryOf(t, pid)
			for range people {
				s := openShell(t, sshAddr, ada, "xterm-256color", 120, 40).wait("Contact")
				if key != "" {
					s.press(key).wait("500 deliveries")
				}
			}
			opened := memoryOf(t, pid)
			load := 1.0
			for i := 0; i < 15 && load > busiest; i++ { // the least counts: a machine may have other things to do
				began, used := time.Now(), cpuOf(t, pid)
				time.Sleep(2 * time.Second)
				load = min(load, (cpuOf(t, pid)-used).Seconds()/time.Since(began).Seconds())
			}
			after := memoryOf(t, pid)
			t.Logf("%d sessions on %s: %.1f MiB more (%.1f MiB in all, %.1f before), %.1f%% of a core", people, name, mib(after-before), mib(after), mib(before), 100*load)
			if grown := max(opened, after) - before; grown > most {
				t.Errorf("they take %.1f MiB, %d are allowed", mib(grown), most>>20)
			}
			if load > busiest {
				t.Errorf("they take %.1f%% of a core, %.0f%% are allowed", 100*load, 100*busiest)
			}
			sync.stop()
		})
	}
}

func mib(n int) float64 { return float64(n) / (1 << 20) }

// memoryOf is what a process has in memory.
func memoryOf(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// cpuOf is the time that a process has computed.
func cpuOf(t testing.TB, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var ticks int
	for _, s := range f[11:13] { // utime and stime
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
