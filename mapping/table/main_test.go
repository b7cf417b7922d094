package table

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "6") // those that are parallel wait for locks; -parallel N still counts
	os.Exit(m.Run())
}
