// Package distill computes the losses of knowledge distillation: what a student
// learns from labels and from the scores of other networks.
//
// Sources: Hinton et al., "Distilling the Knowledge in a Neural Network" (2015);
// Zhang et al., "Deep Mutual Learning" (CVPR 2018); PaddleVideo's
// paddlevideo/modeling/losses/distillation_loss.py and
// framework/recognizers/recognizerDistillation.py.
// Letters: n clips, K classes.
package distill

// A Kind of loss, by its name in configurations.
type Kind string

// The kinds.
const (
	CE  Kind = "DistillationCELoss"  // cross entropy of scores with labels
	DML Kind = "DistillationDMLLoss" // Jensen-Shannon-like divergence of two networks' scores, which teaches both
	KD  Kind = "DistillationKDLoss"  // Hinton's: softened scores of a teacher, and labels; teaches the first of the pair alone
)

// Names that scores have in pairs.
const (
	Student     = "Student"
	GroundTruth = "GroundTruth"
)

// A Term is one part of a loss, which is the sum of its terms.
type Term struct {
	Kind   Kind
	Of, To string  // model_name_pairs: the scores that learn, and what from; GroundTruth for CE
	Weight float64 // loss_weight

	Smoothing float64 // of CE, and of KD's labels: of them, in [0, 1)

	// Of DML.
	Act     Act
	Epsilon float64 // is added to what is divided and to what it is divided by: 1e-12 in the reference

	// Of KD: Alpha T^2 KL(softmax(To/T) || softmax(Of/T)) + (1-Alpha) CE(Of, labels).
	Temperature float64 // T, above 0
	Alpha       float64 // in [0, 1]
}

// Act makes DML's distributions of scores.
type Act string

// The ways.
const (
	Softmax Act = "softmax"
	Sigmoid Act = "sigmoid"
	Linear  Act = "" // scores as they are, which must be above 0
)
