//go:build !linux

package main

func calmOpenMP() {}
