package distill

import (
	"errors"
	"fmt"
	"math"
)

// Learns are the names of the scores whose networks a term teaches.
func (t Term) Learns() []string {
	if t.Kind == DML {
		return []string{t.Of, t.To}
	}
	return []string{t.Of}
}

// Validate reports what the term cannot be computed with.
func (t Term) Validate() error {
	if err := t.validate(); err != nil {
		return fmt.Errorf("%s of [%s, %s]: %w", t.Kind, t.Of, t.To, err)
	}
	return nil
}

func (t Term) validate() error {
	switch {
	case t.Kind != CE && t.Kind != DML && t.Kind != KD:
		return fmt.Errorf("no such loss: want %s, %s or %s", CE, DML, KD)
	case !(t.Weight >= 0) || math.IsInf(t.Weight, 0):
		return fmt.Errorf("a weight of %v: want 0 or more", t.Weight)
	case !(t.Smoothing >= 0 && t.Smoothing < 1):
		return fmt.Errorf("label smoothing of %v: want a share in [0, 1)", t.Smoothing)
	case t.Of == GroundTruth || t.Of == "":
		return errors.New("want the name of a network first in the pair")
	case t.Kind == CE:
		return t.validateCE()
	case t.To == GroundTruth || t.To == "" || t.To == t.Of:
		return errors.New("want a pair of two networks")
	case t.Kind == DML:
		return t.validateDML()
	}
	return t.validateKD()
}

func (t Term) validateCE() error {
	if t.To != GroundTruth {
		return fmt.Errorf("want the pair of a network and %s", GroundTruth)
	}
	return nil
}

func (t Term) validateDML() error {
	if t.Act != Softmax && t.Act != Sigmoid && t.Act != Linear {
		return fmt.Errorf("act %q: want %s, %s or none", t.Act, Softmax, Sigmoid)
	}
	if !(t.Epsilon >= 0) || math.IsInf(t.Epsilon, 0) {
		return fmt.Errorf("an epsilon of %v: want 0 or more", t.Epsilon)
	}
	return nil
}

func (t Term) validateKD() error {
	if !(t.Temperature > 0) || math.IsInf(t.Temperature, 0) {
		return fmt.Errorf("a temperature of %v: want one above 0", t.Temperature)
	}
	if !(t.Alpha >= 0 && t.Alpha <= 1) {
		return fmt.Errorf("an alpha of %v: want a share in [0, 1]", t.Alpha)
	}
	return nil
}
