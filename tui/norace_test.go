//go:build !race

package tui

const slowdown = 1
