// Package testdata finds the files that some tests compare against and that
// are not part of the project: the parity kit and the real videos and models. Of
// the machine it finds free ports.
package testdata

import (
	"os"
	"path/filepath"
	"testing"
)

// Shared returns the folder of real data: the environment variable
// PPTSN_SHARED, else the folder "shared" beside the project. Without either
// the test is skipped.
func Shared(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("PPTSN_SHARED"); dir != "" {
		return dir
	}
	dir := filepath.Join(root(t), "..", "shared")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no folder ../shared beside the project and PPTSN_SHARED is not set: nothing to compare with")
	}
	return dir
}

// Parity returns the folder of expected values: the environment variable
// PPTSN_PARITY, else "parity" in Shared.
func Parity(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("PPTSN_PARITY"); dir != "" {
		return dir
	}
	dir := filepath.Join(Shared(t), "parity")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no parity kit: set PPTSN_PARITY to its folder")
	}
	return dir
}

// root is the nearest folder above the test's that holds go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = up
	}
}
