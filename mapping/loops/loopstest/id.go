package loopstest

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
)

// ids makes ids in the looks of a cuid. They depend on the clock and a count and
// nothing else, never repeat within a server and grow, also when the clock stands
// still or goes back.
type ids struct {
	last  int64 // milliseconds
	count int
}

func (n *ids) next(now time.Time) string {
	n.last = max(n.last, now.UnixMilli())
	n.count++
	return cuid(n.last, n.count)
}

// cuid is c, eight digits of the time, six of the count and ten that look random:
// 25 characters in base 36.
func cuid(ms int64, count int) string {
	h := fnv.New64a()
	h.Write([]byte(strconv.FormatInt(ms, 36) + "." + strconv.Itoa(count)))
	return "c" + base36(uint64(ms), 8) + base36(uint64(count), 6) + base36(h.Sum64(), 10)
}

// base36 writes the last digits of n.
func base36(n uint64, digits int) string {
	s := strings.Repeat("0", digits) + strconv.FormatUint(n, 36)
	return s[len(s)-digits:]
}
