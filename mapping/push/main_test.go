package push_test

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "8") // they wait for answers more than they compute; -parallel N still counts
	os.Exit(m.Run())
}
