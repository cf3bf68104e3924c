package main

import (
	"fmt"
	"slices"
	"strings"
)

const (
	seedCount = 5 // as many folds
	size      = 56
	shortSide = 64 // to 56 as 256 to 224
	short     = 30 // epochs
	long      = 90
	batch     = 8
)

// Peak learning rates, from the results of "study rates" (docs/accuracy/rates).
const (
	tsnRate   = 0.002
	pptsnRate = 0.001
)

// A variant is a recipe: TSN, and what of PP-TSN is added to it.
type variant struct {
	Name      string
	Title     string // in the table
	VD        bool   // ResNet-vd for the plain ResNet
	Smoothing bool   // labels, by 0.1
	Mixup     bool   // alpha 0.2
	Cosine    bool   // with warm-up, for steps
	Nesterov  bool
	HeadRates bool // classifier's weights 5 times, bias 10 times as fast
	OwnHead   bool // ppTSNHead: its own weight decay
	Segments  int
	Epochs    int
	Distill   string // dml, kd
	Rate      float64
}

func tsnVariant(name, title string) variant {
	return variant{Name: name, Title: title, Segments: 3, Epochs: short, Rate: tsnRate}
}

func pptsnVariant(name, title string) variant {
	return variant{Name: name, Title: title, VD: true, Smoothing: true, Mixup: true, Cosine: true, Nesterov: true, HeadRates: true, OwnHead: true,
		Segments: 3, Epochs: short, Rate: pptsnRate}
}

func (v variant) with(change func(*variant)) variant {
	change(&v)
	return v
}

// variants in the order of the table, in which a seed's runs are done, too: the
// teacher of kd before kd.
func variants() []variant {
	return []variant{
		tsnVariant("tsn", "TSN"),
		tsnVariant("tsn-vd", "TSN + ResNet-vd").with(func(v *variant) { v.VD = true }),
		tsnVariant("tsn-smoothing", "TSN + label smoothing 0.1").with(func(v *variant) { v.Smoothing = true }),
		tsnVariant("tsn-mixup", "TSN + Mixup 0.2").with(func(v *variant) { v.Mixup = true }),
		tsnVariant("tsn-cosine", "TSN + cosine with warm-up").with(func(v *variant) { v.Cosine = true }),
		tsnVariant("tsn-nesterov", "TSN + Nesterov, head rates 5 and 10").with(func(v *variant) { v.Nesterov, v.HeadRates, v.OwnHead = true, true, true }),
		pptsnVariant("pptsn", "PP-TSN"),
		pptsnVariant("pptsn-evenhead", "PP-TSN, head as fast as the rest").with(func(v *variant) { v.HeadRates = false }),
		pptsnVariant("pptsn-dml", "PP-TSN, distilled: DML").with(func(v *variant) { v.Distill = "dml" }),
		pptsnVariant("pptsn-kd", "PP-TSN, distilled: KD").with(func(v *variant) { v.Distill = "kd" }),
		tsnVariant("tsn-8seg", "TSN, 8 segments").with(func(v *variant) { v.Segments = 8 }),
		pptsnVariant("pptsn-8seg", "PP-TSN, 8 segments").with(func(v *variant) { v.Segments = 8 }),
		tsnVariant("tsn-long", "TSN, 90 epochs").with(func(v *variant) { v.Epochs = long }),
		pptsnVariant("pptsn-long", "PP-TSN, 90 epochs").with(func(v *variant) { v.Epochs = long }),
	}
}

// teacher is whose weights kd learns from.
const teacher = "pptsn"

func variantOf(name string) variant {
	list, _ := chosen(name)
	return list[0]
}

// chosen are the variants that -only names, all if it is empty.
func chosen(only string) ([]variant, error) {
	all := variants()
	if only == "" {
		return all, nil
	}
	var some []variant
	for _, name := range strings.Split(only, ",") {
		i := slices.IndexFunc(all, func(v variant) bool { return v.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only %q: no such variant; they are %s", name, names(all))
		}
		some = append(some, all[i])
	}
	return some, nil
}

func names(list []variant) string {
	var s []string
	for _, v := range list {
		s = append(s, v.Name)
	}
	return strings.Join(s, ", ")
}
