#!/bin/bash
# Two hosts of 8 GPUs each under Slurm: a task for each host, whose launcher
# starts a process for each GPU, and starts them again when one dies.
#
#   sbatch deploy/slurm.sh -c configs/recognition/pptsn/pptsn_k400_frames.yaml --validate --amp
#
# Slurm sends SIGTERM two minutes before the time is up: pptsn saves, and the job
# is queued again and goes on. After the loss of a host Slurm queues it again, too.
#SBATCH --job-name=pptsn
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -uo pipefail

# srun takes --cpus-per-task from the job in older Slurm only (before 22.05). Logs
# are another folder each time the job is queued: a launcher begins them anew.
srun --kill-on-bad-exit=0 --cpus-per-task="$SLURM_CPUS_PER_TASK" pptsn train --gpus "${PPTSN_GPUS:-0,1,2,3,4,5,6,7}" \
	--max_restarts 10 --save_every 500 --log_dir "output/logs-$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}" --resume "$@"
code=$?
if [ "$code" -eq 130 ]; then # interrupted and saved
	scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
