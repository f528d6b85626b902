"""Runs everything from end to end: data, training, evaluation, samples. Each step is a command.

  make demo
"""

import time
from collections.abc import Sequence

from absl import flags

from binaries import command_line, flag_types
from haiku_spectral.training import run_folder

FLAGS = flags.FLAGS
flag_types.define_path('run_dir', 'runs/demo', 'Folder of the trained model and its reports.')
flag_types.define_path('data_dir', 'data', 'Folder in which the dataset is built.')
flag_types.define_integer('steps', None, 'Training steps (default: those of the preset).', lower=1)

PROMPTS = {
    'Turkish': 'Efendiler, ',
    'English': 'Shall I ',
    'code': 'class Counter(dict):\n    def ',
}


def commands() -> list[list[str]]:
  """What the demo runs, in order: module name and flags."""
  data, run = f'--data_dir={FLAGS.data_dir}', f'--run_dir={FLAGS.run_dir}'
  steps = [] if FLAGS.steps is None else [f'--config.train.steps={FLAGS.steps}']
  samples = [
      ['binaries.sample', run, f'--prompt={prompt}', '--num_bytes=300', '--temperature=0.7',
       '--min_p=0.05', '--seed=1', '--echo', f'--record={FLAGS.run_dir}/{run_folder.SAMPLES}']
      for prompt in PROMPTS.values()
  ]
  return [
      ['binaries.prepare_data', '--dataset=starter', data],
      ['binaries.train', '--config=haiku_spectral/configs/nano.py', run, data, *steps],
      ['binaries.eval_extrapolation', run, data, '--max_factor=32'],
      # A whole novel; an eighth of it is scored, which takes a minute or two.
      ['binaries.eval_context', run, data, '--dataset=starter', '--split=test',
       '--last_part=0.125'],
      ['binaries.evaluate', '--suite=recall', run, '--tasks=verbatim,passkey,needles,copy',
       '--lengths=1024,4096', '--depths=0,0.5,1', '--examples=2'],
      *samples,
      ['binaries.report', run, data],
      ['binaries.model_card', run, data],
  ]


def main(argv: Sequence[str]) -> int:
  """Stops at the first command that fails, with its exit code."""
  del argv
  start = time.monotonic()
  if status := command_line.run_in_order(commands()):
    return status
  minutes = (time.monotonic() - start) / 60
  print(f"""
Done in {minutes:.1f} minutes.
  model and metrics   {FLAGS.run_dir} (TensorBoard: tensorboard --logdir {FLAGS.run_dir})
  extrapolation       {FLAGS.run_dir}/extrapolation.png and .json
  context length      {FLAGS.run_dir}/context.png and .json
  dataset             {FLAGS.data_dir}/starter
  all of it, a page   {FLAGS.run_dir}/report.html
  model card          {FLAGS.run_dir}/{run_folder.CARD}
  talk to it          ./run //binaries:sample --run_dir={FLAGS.run_dir} --prompt='Once '""")
  return 0


if __name__ == '__main__':
  command_line.run(main)
