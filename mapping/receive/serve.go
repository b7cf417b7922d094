package receive

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Serve answers on l until ctx ends, then finishes the requests in hand and
// returns. Slow and silent clients are cut off, and make room for others when there are
// many.
func Serve(ctx context.Context, l net.Listener, h http.Handler, log *slog.Logger) error {
	c := &crowd{log: log, all: map[net.Conn]*visitor{}}
	s := &http.Server{
		Handler:           hearing(h),
		ConnContext:       c.welcome,
		ConnState:         c.state,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		stopped <- s.Shutdown(grace)
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
