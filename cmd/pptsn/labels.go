package main

import (
	"fmt"
	"strings"

	"github.com/pptsn/pptsn/config"
	"github.com/pptsn/pptsn/labels"
)

// classNames reads the labels that a flag names. Without one they are guessed
// from the configuration: a list file under k400 or ucf101 with as many classes
// as that data set has. It returns nil where nothing is known.
func classNames(flag string, cfg *config.Config, classes int) ([]string, error) {
	name := flag
	if name == "" {
		if name = dataSet(cfg, classes); name == "" {
			return nil, nil
		}
	}
	names, err := labels.Read(name)
	if err != nil {
		return nil, err
	}
	if len(names) != classes {
		return nil, fmt.Errorf("%s: %d labels for a network of %d classes", name, len(names), classes)
	}
	return names, nil
}

func dataSet(cfg *config.Config, classes int) string {
	for _, use := range []config.Use{config.Train, config.Valid, config.Test} {
		data, err := cfg.Data(use)
		if err != nil {
			continue // the section is optional here
		}
		path := strings.ToLower(data.List)
		switch {
		case classes == 400 && (strings.Contains(path, "k400") || strings.Contains(path, "kinetics")):
			return "kinetics400"
		case classes == 101 && strings.Contains(path, "ucf101"):
			return "ucf101"
		}
	}
	return ""
}
