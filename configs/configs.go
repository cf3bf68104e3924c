// Package configs holds the ready configuration files and label lists, so that
// an installed program has them without a checkout.
package configs

import "embed"

// FS holds recognition/{pptsn,tsn}/*.yaml and labels/*.txt.
//
//go:embed labels recognition
var FS embed.FS
