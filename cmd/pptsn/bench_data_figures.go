package main

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/pptsn/pptsn/dataset"
	"github.com/pptsn/pptsn/internal/turns"
)

// A spread is the middle and the ends of one figure over all turns.
type spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func spreadOf(values []float64) spread {
	return spread{turns.Median(values), slices.Min(values), slices.Max(values)}
}

// A rateRow is what one number of workers gives.
type rateRow struct {
	Row     string   `json:"row"` // "rate"
	Variant string   `json:"variant"`
	Workers int      `json:"workers"`
	Clips   int      `json:"clips"` // in each turn
	Bad     int      `json:"bad"`
	Turns   int      `json:"turns"`
	Cold    bool     `json:"cold"`
	Rate    spread   `json:"clips_per_second"`
	PerClip []figure `json:"stages"`
	Limit   string   `json:"limit"` // the stage with the largest share
}

// A figure is what one stage takes.
type figure struct {
	Stage string  `json:"stage"` // decode, transform, batch
	Ms    float64 `json:"ms_per_clip"`
	Share float64 `json:"share"`
}

func (b *dataBench) rateRow(v *benchVariant, s *benchSeries) rateRow {
	first := s.passes[0]
	r := rateRow{Row: "rate", Variant: v.name, Workers: s.workers, Clips: first.Clips, Bad: len(first.Bad),
		Turns: len(s.passes), Cold: b.cold, Rate: spreadOf(s.rates())}
	sum := 0.0
	for _, stage := range []struct {
		name string
		of   func(dataset.Times) time.Duration
	}{
		{"decode", func(t dataset.Times) time.Duration { return t.Decode }},
		{"transform", func(t dataset.Times) time.Duration { return t.Transform }},
		{"batch", func(t dataset.Times) time.Duration { return t.Collate }},
	} {
		var ms []float64
		for _, p := range s.passes {
			ms = append(ms, 1e3*stage.of(p.Times).Seconds()/float64(p.Clips))
		}
		middle := spreadOf(ms).Median
		sum += middle
		r.PerClip = append(r.PerClip, figure{Stage: stage.name, Ms: middle})
	}
	for i := range r.PerClip {
		r.PerClip[i].Share = r.PerClip[i].Ms / sum
	}
	r.Limit = slices.MaxFunc(r.PerClip, func(a, b figure) int { return cmp.Compare(a.Ms, b.Ms) }).Stage
	return r
}

// rates are the clips a second of each turn.
func (s *benchSeries) rates() []float64 {
	var rates []float64
	for _, p := range s.passes {
		rates = append(rates, float64(p.Clips)/p.Took.Seconds())
	}
	return rates
}

// A ratioRow compares the variants at one number of workers.
type ratioRow struct {
	Row     string `json:"row"` // "ratio": against to as configured
	Workers int    `json:"workers"`
	Ratio   spread `json:"clips_per_second_ratio"` // of turns that followed each other
}

func (b *dataBench) ratioRow(i int) ratioRow {
	base, other := b.variants[0].series[i].rates(), b.variants[1].series[i].rates()
	return ratioRow{"ratio", b.workers[i], spreadOf(turns.Ratios(other, base))}
}

// A filesRow is what the clips take on disk.
type filesRow struct {
	Row     string `json:"row"` // "files"
	Variant string `json:"variant"`
	List    string `json:"list"`
	Clips   int    `json:"clips"`
	Of      int    `json:"clips_of_list"`
	Batch   int    `json:"batch"`
	Files   int    `json:"files"`
	Bytes   int64  `json:"bytes"`
}

func (v *benchVariant) filesRow() filesRow {
	return filesRow{"files", v.name, v.list, v.clips.Len(), v.of, v.batch, len(v.files), v.bytes}
}

// A needRow says what keeps up with a network.
type needRow struct {
	Row     string  `json:"row"` // "need"
	Variant string  `json:"variant"`
	Need    float64 `json:"clips_per_second"`
	Workers *int    `json:"workers"` // null: none that was measured
	Cores   int     `json:"cores"`   // about what it takes, by the time that a clip takes one worker
}

// needRow takes the fewest workers whose slowest turn is fast enough.
func (b *dataBench) needRow(v *benchVariant, rates []rateRow) needRow {
	alone := 0.0
	for _, f := range rates[0].PerClip {
		alone += f.Ms
	}
	row := needRow{Row: "need", Variant: v.name, Need: b.need, Cores: int(math.Ceil(b.need * alone / 1e3))}
	for _, r := range rates {
		if r.Rate.Low >= b.need {
			row.Workers = &r.Workers
			break
		}
	}
	return row
}
