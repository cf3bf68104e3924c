//go:build !linux

package main

import "errors"

func dropFromCache(string) error { return errors.New("only Linux can drop files from its cache") }
