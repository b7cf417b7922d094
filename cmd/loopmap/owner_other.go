//go:build !unix

package main

import (
	"io/fs"
	"os"
)

// keepOwner does nothing: a new file in a folder has its rights here.
func keepOwner(*os.File, fs.FileInfo) error { return nil }

// What is in a user's own folder is theirs here, by the rights of the folder.
func ownedByOther(fs.FileInfo) bool { return false }
func openToOthers(fs.FileInfo) bool { return false }
