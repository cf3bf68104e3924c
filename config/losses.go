package config

import (
	"fmt"

	"github.com/pptsn/pptsn/distill"
)

// losses reads MODEL.loss. Val may say only what validation does anyway: it
// measures the student alone.
func (s *section) losses() []distill.Term {
	s.require("Train")
	terms := s.terms("Train")
	alone := distill.Term{Kind: distill.CE, Of: distill.Student, To: distill.GroundTruth, Weight: 1}
	before := len(s.d.errs)
	for i, t := range s.terms("Val") {
		if (t != alone || i > 0) && len(s.d.errs) == before {
			s.d.fail(fmt.Sprintf("%s.%d", s.join("Val"), i), "validation measures the student alone: want one %s of [%s, %s] without options", distill.CE, distill.Student, distill.GroundTruth)
		}
	}
	s.done()
	return terms
}

func (s *section) terms(key string) []distill.Term {
	const want = "a list of losses such as \"- {name: DistillationCELoss, model_name_pairs: [Student, GroundTruth]}\""
	items := s.items(key, want)
	s.check(key, len(items) > 0, want)
	var terms []distill.Term
	for i, item := range items {
		path := fmt.Sprintf("%s.%d", s.join(key), i)
		options, ok := item.data.(*dict)
		if !ok {
			s.d.failAt(item.where, path, "want a mapping with name and model_name_pairs, found %s", item.describe())
			continue
		}
		inner := &section{d: s.d, path: path, dict: options, bad: map[string]bool{}}
		terms = append(terms, inner.term())
	}
	return terms
}

func (s *section) term() distill.Term {
	s.require("name", "model_name_pairs")
	t := distill.Term{Kind: distill.Kind(s.oneOf("name", "", string(distill.CE), string(distill.DML), string(distill.KD)))}
	t.Weight = s.float("loss_weight", 1)
	s.check("loss_weight", t.Weight >= 0, "a number of at least 0")
	t.Of, t.To = s.pair(t.Kind)
	switch t.Kind {
	case distill.CE:
		t.Smoothing = s.share("ls_eps", 0)
	case distill.DML:
		t.Act = s.act()
		t.Epsilon = s.float("eps", 1e-12)
		s.check("eps", t.Epsilon >= 0, "a number of at least 0")
	case distill.KD:
		t.Temperature = s.positive("temperature", 4)
		t.Alpha = s.float("alpha", 0.9)
		s.check("alpha", t.Alpha >= 0 && t.Alpha <= 1, "a number from 0 to 1")
		t.Smoothing = s.share("ls_eps", 0)
	}
	s.done()
	return t
}

// pair reads model_name_pairs: whose scores, and what they are compared with.
func (s *section) pair(kind distill.Kind) (of, to string) {
	pair := s.words("model_name_pairs")
	s.check("model_name_pairs", len(pair) == 2, "a list of two names")
	if len(pair) != 2 || s.bad["model_name_pairs"] {
		return "", ""
	}
	of, to = pair[0], pair[1]
	networks := of != distill.GroundTruth && to != distill.GroundTruth && of != to
	switch {
	case kind == distill.CE && (of == distill.GroundTruth || to != distill.GroundTruth):
		s.fail("model_name_pairs", "want a model and %s: [%s, %s]", distill.GroundTruth, distill.Student, distill.GroundTruth)
	case (kind == distill.DML || kind == distill.KD) && !networks:
		s.fail("model_name_pairs", "want two models: [%s, Teacher]", distill.Student)
	}
	return of, to
}

// act tells null, which leaves scores as they are, from no such key.
func (s *section) act() distill.Act {
	if v := s.dict.at["act"]; v != nil && v.data == nil {
		s.lookup("act")
		return distill.Linear
	}
	return distill.Act(s.oneOf("act", string(distill.Softmax), string(distill.Softmax), string(distill.Sigmoid)))
}
