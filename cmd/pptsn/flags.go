package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// A pythonBool is a flag as the reference's scripts take it: --use_gpu=False,
// --use_gpu False. Unlike theirs a misspelt value is an error.
type pythonBool bool

func (b *pythonBool) String() string {
	if *b {
		return "True"
	}
	return "False"
}

func (b *pythonBool) Set(s string) error {
	switch strings.ToLower(s) {
	case "true", "t", "1", "yes":
		*b = true
	case "false", "f", "0", "no":
		*b = false
	default:
		return fmt.Errorf("%q: want True or False", s)
	}
	return nil
}

func (*pythonBool) Type() string { return "True|False" }

// boolFlag adds a flag that takes True or False.
func boolFlag(flags *pflag.FlagSet, name string, value bool, usage string) *pythonBool {
	b := pythonBool(value)
	flags.Var(&b, name, usage)
	return &b
}
