//go:build unix

package main

import (
	"os/exec"
	"testing"
)

// ctrl+z leaves the mapper for the shell, a signal does too, and fg comes back to a
// terminal whose keys work: also when it was stopped without asking.
func TestSuspend(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	for how, stop := range map[string]string{"ctrl+z": "\x1a", "TSTP": "", "STOP": ""} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			script := `set -m; loopmap new.yaml --listen 127.0.0.1:0; echo "AWAY $?"; read x; fg; echo "BACK $?"`
			if stop == "" {
				script = `set -m; (read <.go; kill -` + how + ` $(cat .pid)) & ` +
					`bash -c 'echo $$ >.pid; exec loopmap new.yaml --listen 127.0.0.1:0'; echo "AWAY $?"; read x; fg %2; echo "BACK $?"`
			}
			dir := t.TempDir()
			if out, err := exec.Command("mkfifo", dir+"/.go").CombinedOutput(); err != nil {
				t.Skipf("mkfifo: %v %s", err, out)
			}
			x := openCommand(t, dir, 80, 24, nil, "bash", "-c", script)
			x.wait("waiting for the first webhook").press("b").wait("firstName")
			if stop != "" {
				x.press(stop)
			} else if out, err := exec.Command("bash", "-c", "echo >"+dir+"/.go").CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			x.wait("AWAY 1").press("\n").wait("Contact ─", "firstName")
			x.press("?").wait("All keys").press("esc").wait("Contact ─").press("q")
			if x.wait("BACK 0"); x.exit() != 0 {
				t.Error("it did not end well")
			}
		})
	}
}
