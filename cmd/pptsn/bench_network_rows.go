package main

import (
	"github.com/pptsn/pptsn/engine"
	"github.com/pptsn/pptsn/graph"
	"github.com/pptsn/pptsn/internal/turns"
)

// A networkRow is what one engine makes of one batch. Figures that are not known
// are null.
type networkRow struct {
	Row         string   `json:"row"` // "network"
	Engine      string   `json:"engine"`
	Device      string   `json:"device"` // cpu, openvino, cuda or tensorrt
	Precision   string   `json:"precision"`
	Network     string   `json:"network"`
	Views       int      `json:"views"` // of each video
	Batch       int      `json:"batch"` // videos
	Threads     int      `json:"threads,omitempty"`
	Turns       int      `json:"turns"`
	MsPerFrame  float64  `json:"ms_per_frame"`
	GFLOPs      float64  `json:"gflops"` // operations a second / 1e9
	Instruction string   `json:"peak_instruction,omitempty"`
	PeakGFLOPs  *float64 `json:"peak_gflops"`
	PeakShare   *float64 `json:"peak_share"`
	Spread      float64  `json:"spread"`            // of ms_per_frame, in percent, see turns.Spread
	Ratio       *float64 `json:"ratio_to_ort_fp32"` // how many times as fast, with the same batch
}

func (b *networkBench) rows(series []*networkSeries) ([]networkRow, error) {
	flops, err := b.subject.flops()
	if err != nil {
		return nil, err
	}
	var rows []networkRow
	for _, s := range series {
		r := s.row(flops, b.subject.views)
		r.Network = b.subject.name
		if peer := peerOf(s, series); peer != nil {
			ratio := turns.Median(turns.Ratios(peer.seconds, s.seconds))
			r.Ratio = &ratio
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// row sums up; a view takes so many operations, a video has so many views.
func (s *networkSeries) row(flops float64, views int) networkRow {
	frame := turns.Median(s.seconds) / float64(len(s.clips)*views)
	r := networkRow{
		Row: "network", Engine: string(s.engine.place.options.Kind), Device: s.engine.place.device,
		Precision: s.engine.precision.String(), Views: views, Batch: len(s.clips), Threads: s.threads, Turns: len(s.seconds),
		MsPerFrame: 1e3 * frame, GFLOPs: flops / frame / 1e9, Spread: turns.Spread(s.seconds),
	}
	if len(s.peaks) > 0 {
		r.Instruction = s.instruction.Name
		r.PeakGFLOPs = scaled(turns.Median(s.peaks), 1e-9)
		r.PeakShare = scaled(turns.Median(s.shares(flops*float64(len(s.clips)*views))), 1)
	}
	return r
}

// shares are those of the peak in each turn, whatever the clock was then; a batch
// takes so many operations.
func (s *networkSeries) shares(flops float64) []float64 {
	shares := make([]float64, len(s.seconds))
	for i, seconds := range s.seconds {
		shares[i] = flops / seconds / s.peaks[i]
	}
	return shares
}

// peerOf is ONNX Runtime's series in fp32 on the CPU with the same batch; nil if
// there is none.
func peerOf(s *networkSeries, series []*networkSeries) *networkSeries {
	for _, p := range series {
		e := p.engine
		if e.place.options.Kind == engine.ORT && e.place.device == "cpu" && e.precision == graph.FP32 && len(p.clips) == len(s.clips) {
			return p
		}
	}
	return nil
}
