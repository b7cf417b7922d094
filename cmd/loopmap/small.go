package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxSmall is how many bytes the files have at most that are read whole: the mapping, its
// draft, keys, secrets.
const maxSmall = 1 << 20

// readSmall reads a file whole that is to be a small one. A pipe, which may never end and
// is not even opened without somebody at its other end, a device, and what is large, are
// refused.
func readSmall(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if err := isSmall(file, info); err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err == nil { // it may have become another
		err = isSmall(file, info)
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSmall+1))
	if err == nil && len(text) > maxSmall {
		err = tooLarge(file, int64(len(text)))
	}
	return text, err
}

func isSmall(file string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return usage("%s is a folder, not a file", file)
	case mode&fs.ModeNamedPipe != 0:
		return usage("%s is a pipe: it must be a file, which can be read again", file)
	case !mode.IsRegular():
		return usage("%s is a device or a socket, not a file", file)
	case info.Size() > maxSmall:
		return tooLarge(file, info.Size())
	}
	return nil
}

func tooLarge(file string, size int64) error {
	return usage("%s has %d bytes; what is read here has at most %d", file, size, maxSmall)
}

// readFailed says that a file cannot be read; what is wrong with it stays wrong usage.
func readFailed(what string, err error) error {
	if errors.As(err, new(*usageError)) {
		return err
	}
	return fmt.Errorf("read %s: %w", what, err)
}
