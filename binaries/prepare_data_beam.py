"""prepare_data in an environment with Apache Beam, for --beam: builds a corpus on many machines.

  python -m binaries.prepare_data_beam --dataset=turkish_web --manual_dir=DIR \\
      --beam=--runner=DirectRunner,--direct_num_workers=4

All workers must see --data_dir and the source files under the same paths.
"""

from binaries import command_line, prepare_data

if __name__ == '__main__':
  command_line.run(prepare_data.main)
