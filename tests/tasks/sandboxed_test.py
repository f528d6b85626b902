"""All families in the real sandbox: right answers pass, wrong ones do not, hostile ones neither."""

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.sandbox import sandbox
from haiku_spectral.tasks import registry

PROBLEMS = 4  # Of each depth.


class SandboxedTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.executor = cls.enterClassContext(sandbox.Sandbox(hash_seeds=(0,)))

  def right(self, family, cases):
    """Which of the completions solve their problems."""
    jobs = [family.job(*case) for case in cases]
    ran = self.executor.map(filter(None, jobs))
    return [job is not None and family.check(problem, next(ran))
            for job, (problem, _) in zip(jobs, cases, strict=True)]

  @parameterized.parameters(*registry.FAMILIES)
  def test_answers_are_right_and_those_of_other_problems_are_not(self, name):
    family = registry.family(name)
    generator = np.random.default_rng(0)
    problems = [family.propose(generator, depth, split)
                for depth in family.depths for split in ('train', 'heldout')
                for _ in range(PROBLEMS // 2)]
    self.assertEqual(self.right(family, [(problem, problem.answer) for problem in problems]),
                     [True] * len(problems))
    others = problems[1:] + problems[:1]
    swapped = self.right(family, [
        (problem, other.answer) for problem, other in zip(problems, others, strict=True)])
    # A program may solve two problems, by chance or because one of them is easy.
    self.assertLess(sum(swapped), len(problems) / 4)

  @parameterized.product(
      name=list(registry.FAMILIES),
      completion=['', ' ', 'x', '__import__("os").getpid()', '(' * 500, '[0] * 10**12', 'a\nb'])
  def test_nothing_else_is_right(self, name, completion):
    family = registry.family(name)
    problem = family.propose(np.random.default_rng(1), 2, 'train')
    self.assertEqual(self.right(family, [(problem, completion)]), [False])


if __name__ == '__main__':
  absltest.main()
