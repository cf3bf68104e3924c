package train

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pptsn/pptsn/checkpoint"
)

// A line is a line of the log: pieces with a space between. Spelling, widths
// and colours are those of PaddleVideo's paddlevideo/utils/record.py, so that
// tools which read its logs read ours.
type line []piece

type piece struct {
	color color
	text  string
}

type color string

const (
	noColor      color = ""
	colorRed     color = "\033[31m"
	colorMagenta color = "\033[35m"
	colorPurple  color = "\033[95m"
	colorGreen   color = "\033[92m"
)

func (l line) plain() string { return l.join(func(p piece) string { return p.text }) }

func (l line) colored() string {
	return l.join(func(p piece) string {
		if p.color == noColor {
			return p.text
		}
		return string(p.color) + p.text + "\033[0m"
	})
}

func (l line) join(show func(piece) string) string {
	texts := make([]string, len(l))
	for i, p := range l {
		texts[i] = show(p)
	}
	return strings.Join(texts, " ")
}

// batchLine is what log_batch writes. Its mark of a GPU's memory follows only
// where there is one.
func batchLine(r Report, s checkpoint.Sums) line {
	head, metrics := noColor, fmt.Sprintf("loss: %7.5f", r.Loss)
	if r.Batch == 0 {
		head = colorMagenta
	}
	rate := fmt.Sprintf("ips: %.5f instance/sec.", perSecond(r.Clips, r.Took.Seconds()))
	if r.Split == SplitTrain {
		metrics += fmt.Sprintf(" lr: %f", r.LR)
		rate = strings.TrimSuffix(rate, ".") + ", eta: " + clock(r.eta(s))
	}
	metrics += fmt.Sprintf(" top1: %.5f top5: %.5f", r.Top1, r.Top5)
	if r.Split == SplitTrain && r.Allocated > 0 {
		rate += fmt.Sprintf(", max_mem_allocated: %.2f MB", float64(r.Allocated)/(1<<20))
	}
	return line{
		{head, fmt.Sprintf("epoch:[%3d/%-3d]", r.Epoch, r.Epochs)},
		{colorPurple, fmt.Sprintf("%s step:%-4d", r.Split, r.Batch)},
		{colorGreen, metrics},
		{colorGreen, fmt.Sprintf("batch_cost: %.5f sec,", r.Took.Seconds())},
		{colorGreen, fmt.Sprintf("reader_cost: %.5f sec,", r.Waited.Seconds())},
		{noColor, rate},
	}
}

// epochLine is what log_epoch writes, with the empty mean of the rate that it
// leaves in a line of training. The two costs are means, as their names say; the
// reference writes those of the last batch.
func epochLine(split Split, epoch int, s checkpoint.Sums) line {
	rate := ""
	if split == SplitTrain {
		rate = " "
	}
	return line{
		{colorRed, fmt.Sprintf("END epoch:%-3d", epoch)},
		{colorPurple, string(split)},
		{colorGreen, fmt.Sprintf("loss_avg: %7.5f %stop1_avg: %.5f top5_avg: %.5f", s.Loss.Mean(), rate, s.Top1.Mean(), s.Top5.Mean())},
		{colorGreen, fmt.Sprintf("avg_batch_cost: %.5f sec,", s.Batch.Mean())},
		{colorGreen, fmt.Sprintf("avg_reader_cost: %.5f sec,", s.Reader.Mean())},
		{colorGreen, fmt.Sprintf("batch_cost_sum: %.5f sec,", s.Batch.Total)},
		{noColor, fmt.Sprintf("avg_ips: %.5f instance/sec.", perSecond(s.Clips, s.Batch.Total))},
	}
}

// bestLine cuts after four digits, as the reference does, which also writes 1.0
// and not 1.
func bestLine(top1 float64) line {
	text := strconv.FormatFloat(math.Trunc(top1*10000)/10000, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return line{{noColor, "Already save the best model (top1 acc)" + text}}
}

// clock writes a time as Python's timedelta does, in whole seconds: 0:01:02,
// 1 day, 2:03:04.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	text := fmt.Sprintf("%d:%02d:%02d", s/3600%24, s/60%60, s%60)
	switch days := s / 86400; days {
	case 0:
		return text
	case 1:
		return "1 day, " + text
	default:
		return fmt.Sprintf("%d days, %s", days, text)
	}
}
