"""The demo: its commands are those of programs that there are, and it ends with report and card."""

from absl.testing import absltest, flagsaver

from binaries import demo
from tests import docs_links_test


class DemoTest(absltest.TestCase):

  def test_every_flag_is_one_of_its_program(self):
    with flagsaver.flagsaver(run_dir='runs/x', data_dir='d', steps=5):
      commands = demo.commands()
    self.assertEqual([module for module, *_ in commands][-2:],
                     ['binaries.report', 'binaries.model_card'])
    for module, *arguments in commands:
      program = module.removeprefix('binaries.')
      for argument in arguments:
        name = argument.removeprefix('--').partition('=')[0]
        self.assertTrue(docs_links_test.is_flag(program, name), f'{program} {argument}')

  def test_what_is_generated_is_kept_for_the_report(self):
    with flagsaver.flagsaver(run_dir='runs/x'):
      samples = [command for command in demo.commands() if command[0] == 'binaries.sample']
    self.assertLen(samples, len(demo.PROMPTS))
    for command in samples:
      self.assertIn('--record=runs/x/samples.jsonl', command)


if __name__ == '__main__':
  absltest.main()
