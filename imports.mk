# Each module with its imports and what its strings name. `make tidy` writes this file.
$(call py_binary, //binaries:agent, //binaries:agent_model //binaries:command_line \
    //binaries:flag_types //binaries:model_flags //binaries:sandbox_flag \
    //haiku_spectral/agent:folder //haiku_spectral/agent:loop //haiku_spectral/agent:transcript \
    //haiku_spectral/decoding:display //haiku_spectral/sandbox:sandbox //haiku_spectral:shutdown \
    //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:agent_goals, //binaries:agent_model //binaries:command_line \
    //binaries:flag_types //binaries:model_flags //binaries:progress_bar //binaries:sandbox_flag \
    //haiku_spectral/agent:goals //haiku_spectral/agent:goals_report //haiku_spectral/agent:play \
    //haiku_spectral/agent:sampler //haiku_spectral/agent:teacher \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:session \
    //haiku_spectral/sandbox:sandbox //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:agent_horizon, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //binaries:progress_bar //binaries:sandbox_flag \
    //haiku_spectral/agent:horizon //haiku_spectral/agent:horizon_report \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:session \
    //haiku_spectral/sandbox:sandbox //haiku_spectral/storage:atomic_file \
    //haiku_spectral/tasks:registry)
$(call py_library, //binaries:agent_model, //binaries:model_flags //haiku_spectral/agent:sampler \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:session)
$(call py_binary, //binaries:agent_sessions, //binaries:agent_model //binaries:command_line \
    //binaries:flag_types //binaries:model_flags //binaries:progress_bar //binaries:sandbox_flag \
    //haiku_spectral/agent:folder //haiku_spectral/agent:goals //haiku_spectral/agent:play \
    //haiku_spectral/agent:teacher //haiku_spectral/agent:transcript //haiku_spectral:requirement \
    //haiku_spectral/sandbox:sandbox //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:benchmark, //binaries:command_line //binaries:flag_types \
    //binaries:text_sources //datasets:__init__ //datasets/starter:starter_dataset_builder \
    //datasets:synthetic //haiku_spectral/benchmarks:coordinates //haiku_spectral/benchmarks:data \
    //haiku_spectral/benchmarks:decode //haiku_spectral/benchmarks:processes \
    //haiku_spectral/benchmarks:quality //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:sandboxed_jobs //haiku_spectral/benchmarks:settings \
    //haiku_spectral/benchmarks:subject //haiku_spectral/benchmarks:train \
    //haiku_spectral/config:__init__ //haiku_spectral/storage:atomic_file, \
    //binaries:corpus_stage)
$(call py_binary, //binaries:benchmark_device, //binaries:command_line //binaries:flag_types \
    //haiku_spectral/benchmarks:device //haiku_spectral/benchmarks:recorder \
    //haiku_spectral/benchmarks:report //haiku_spectral/configs:presets \
    //haiku_spectral/storage:atomic_file)
$(call py_library, //binaries:command_line, //haiku_spectral:backend \
    //haiku_spectral/sandbox:result //haiku_spectral/storage:atomic_file \
    //haiku_spectral/storage:file_name)
$(call py_binary, //binaries:compress, //binaries:command_line //binaries:flag_types \
    //binaries:input_output //binaries:model_flags //binaries:progress_bar \
    //haiku_spectral/compression:codec //haiku_spectral/evaluation:compressors)
$(call py_binary, //binaries:corpus_stage, //binaries:command_line //binaries:flag_types \
    //datasets:__init__ //datasets:pipeline //datasets:prefetch //datasets:preparation \
    //datasets:registry //datasets:streaming_builder //datasets:synthetic //datasets:windows \
    //haiku_spectral/benchmarks:step_worker //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:tiny //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:loop //haiku_spectral/training:task)
$(call py_library, //binaries:data_sources, //datasets:__init__ //datasets:registry \
    //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/reporting:results)
$(call py_binary, //binaries:decompress, //binaries:command_line //binaries:input_output \
    //binaries:model_flags //binaries:progress_bar //haiku_spectral/compression:codec \
    //haiku_spectral/compression:compressed_file)
$(call py_binary, //binaries:demo, //binaries:command_line //binaries:flag_types \
    //haiku_spectral/training:run_folder, //binaries:eval_context //binaries:eval_extrapolation \
    //binaries:evaluate //binaries:model_card //binaries:prepare_data //binaries:report \
    //binaries:sample //binaries:train //haiku_spectral/configs:nano)
$(call py_binary, //binaries:distill, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //binaries:progress_bar //binaries:text_sources \
    //haiku_spectral/config:__init__ //haiku_spectral/distillation:comparison \
    //haiku_spectral/distillation:distill //haiku_spectral:requirement \
    //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:docs_site, //binaries:command_line //binaries:flag_types \
    //binaries:site_pages)
$(call py_binary, //binaries:duel, //binaries:command_line //binaries:flag_types \
    //binaries:progress_bar //datasets:__init__ //datasets:pipeline \
    //haiku_spectral/evaluation:duel //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/storage:atomic_file //haiku_spectral/training:checkpoint \
    //haiku_spectral/training:metrics, //binaries:prepare_data //binaries:train \
    //haiku_spectral/configs:duel)
$(call py_binary, //binaries:eval_context, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //binaries:progress_bar //binaries:text_sources \
    //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/evaluation:context_length //haiku_spectral/evaluation:context_plot \
    //haiku_spectral/evaluation:context_report //haiku_spectral/evaluation:plan \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:eval_extrapolation, //binaries:command_line \
    //binaries:extrapolation_report //binaries:flag_types //binaries:model_flags \
    //binaries:progress_bar //binaries:text_sources //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/evaluation:extrapolation \
    //haiku_spectral/evaluation:ngram //haiku_spectral/evaluation:plan \
    //haiku_spectral/evaluation:report //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:evaluate, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //binaries:suite_compression //binaries:suite_length \
    //binaries:suite_recall //binaries:suite_turkish //binaries:suites)
$(call py_binary, //binaries:evaluate_lm_eval, //binaries:command_line //binaries:flag_types \
    //binaries:lm_eval_model //binaries:scoring_process //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:export, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //haiku_spectral/distillation:distill //haiku_spectral/export:exported \
    //haiku_spectral:requirement //haiku_spectral/storage:atomic_file \
    //haiku_spectral/training:run_folder)
$(call py_library, //binaries:extrapolation_report, //binaries:command_line \
    //binaries:text_sources //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/evaluation:extrapolation //haiku_spectral/evaluation:plan \
    //haiku_spectral/evaluation:plot //haiku_spectral/evaluation:report \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/storage:atomic_file \
    //haiku_spectral/training:task)
$(call py_library, //binaries:flag_types)
$(call py_library, //binaries:input_output, //binaries:flag_types //binaries:model_flags \
    //haiku_spectral/compression:predictor //haiku_spectral/decoding:session \
    //haiku_spectral/storage:atomic_file)
$(call py_library, //binaries:lm_eval_model, //binaries:scoring_process)
$(call py_binary, //binaries:model_card, //binaries:command_line //binaries:data_sources \
    //binaries:flag_types //haiku_spectral/reporting:card //haiku_spectral/reporting:results \
    //haiku_spectral:requirement //haiku_spectral/storage:atomic_file \
    //haiku_spectral/training:run_folder)
$(call py_library, //binaries:model_flags, //binaries:flag_types //haiku_spectral/config:__init__ \
    //haiku_spectral/export:exported //haiku_spectral/modules:precision \
    //haiku_spectral/training:checkpoint)
$(call py_binary, //binaries:plan_scale, //binaries:command_line //binaries:flag_types \
    //haiku_spectral/parallel:hardware //haiku_spectral/parallel:mesh \
    //haiku_spectral/planning:plan //haiku_spectral/planning:text \
    //haiku_spectral/storage:atomic_file)
$(call py_binary, //binaries:prepare_data, //binaries:command_line //binaries:flag_types \
    //binaries:progress_bar //datasets:__init__ //datasets:build_report //datasets:preparation \
    //datasets:registry //datasets:streaming_builder)
$(call py_binary, //binaries:prepare_data_beam, //binaries:command_line //binaries:prepare_data)
$(call py_library, //binaries:preset_flag, //binaries:flag_types)
$(call py_library, //binaries:progress_bar)
$(call py_binary, //binaries:report, //binaries:command_line //binaries:data_sources \
    //binaries:flag_types //haiku_spectral/reporting:document //haiku_spectral/reporting:html \
    //haiku_spectral/reporting:markdown //haiku_spectral/reporting:report \
    //haiku_spectral/reporting:results //haiku_spectral/storage:atomic_file \
    //haiku_spectral/training:run_folder)
$(call py_binary, //binaries:sample, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //binaries:progress_bar //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:candidates //haiku_spectral/decoding:chat \
    //haiku_spectral/decoding:constraint //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:display \
    //haiku_spectral/decoding:generation //haiku_spectral/decoding:one_by_one \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:prompt \
    //haiku_spectral/decoding:row //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:session //haiku_spectral/decoding:speculation \
    //haiku_spectral/decoding:typed_lines //haiku_spectral:shutdown \
    //haiku_spectral/storage:append_log //haiku_spectral/storage:atomic_file \
    //haiku_spectral:vocab)
$(call py_library, //binaries:sandbox_flag)
$(call py_binary, //binaries:score_texts, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:sampling //haiku_spectral/decoding:scheduler \
    //haiku_spectral/evaluation:likelihood //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/storage:strict_json)
$(call py_library, //binaries:scoring_process, , //binaries:score_texts)
$(call py_binary, //binaries:self_improve, //binaries:command_line //binaries:flag_types \
    //binaries:preset_flag //binaries:progress_bar //binaries:sandbox_flag \
    //binaries:training_task //datasets:__init__ //datasets:preparation //datasets:registry \
    //datasets:streaming_builder //haiku_spectral/config:__init__ \
    //haiku_spectral/sandbox:sandbox //haiku_spectral/self_training:callbacks \
    //haiku_spectral/self_training:outcomes //haiku_spectral/self_training:paths \
    //haiku_spectral/self_training:report //haiku_spectral/self_training:rounds \
    //haiku_spectral/self_training:seed_run //haiku_spectral/self_training:settings \
    //haiku_spectral/self_training:verifier_cache //haiku_spectral:shutdown \
    //haiku_spectral/tasks:registry //haiku_spectral/training:loop, \
    //haiku_spectral/configs:self_improve)
$(call py_binary, //binaries:serve, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //haiku_spectral/decoding:decoder //haiku_spectral/decoding:session \
    //haiku_spectral:requirement //haiku_spectral/serving:app //haiku_spectral/serving:service \
    //haiku_spectral/serving:sessions //haiku_spectral/serving:warm_up //haiku_spectral:shutdown \
    //haiku_spectral/training:run_folder)
$(call py_library, //binaries:site_pages)
$(call py_library, //binaries:suite_compression, //binaries:command_line //binaries:flag_types \
    //binaries:progress_bar //binaries:suites //haiku_spectral/evaluation:code_length \
    //haiku_spectral:requirement //haiku_spectral/storage:file_name)
$(call py_library, //binaries:suite_length, //binaries:flag_types //binaries:progress_bar \
    //binaries:suites //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/evaluation:extrapolation //haiku_spectral/evaluation:plan \
    //haiku_spectral/evaluation:plot //haiku_spectral/evaluation:report)
$(call py_library, //binaries:suite_recall, //binaries:flag_types //binaries:progress_bar \
    //binaries:suites //datasets:__init__ //datasets/starter:starter_dataset_builder \
    //haiku_spectral/evaluation/recall:background //haiku_spectral/evaluation/recall:example \
    //haiku_spectral/evaluation/recall:plot //haiku_spectral/evaluation/recall:report \
    //haiku_spectral/evaluation/recall:scoring //haiku_spectral/evaluation/recall:tasks \
    //haiku_spectral/evaluation/recall:training_text //haiku_spectral/storage:file_name)
$(call py_library, //binaries:suite_turkish, //binaries:flag_types //binaries:progress_bar \
    //binaries:suites //binaries:text_sources //haiku_spectral/config:__init__ \
    //haiku_spectral/evaluation:long_ngram //haiku_spectral/evaluation/minimal_pairs:pair \
    //haiku_spectral/evaluation/minimal_pairs:plot \
    //haiku_spectral/evaluation/minimal_pairs:report \
    //haiku_spectral/evaluation/minimal_pairs:scoring \
    //haiku_spectral/evaluation/minimal_pairs:turblimp //haiku_spectral/evaluation:short_texts \
    //haiku_spectral/tasks:turkish_pairs)
$(call py_library, //binaries:suites, //binaries:command_line //binaries:flag_types \
    //binaries:model_flags //binaries:text_sources //haiku_spectral/config:__init__ \
    //haiku_spectral/evaluation:plot //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/storage:atomic_file)
$(call py_library, //binaries:text_sources, //binaries:command_line //datasets:__init__ \
    //datasets:pipeline //datasets:text_files)
$(call py_binary, //binaries:tidy)
$(call py_binary, //binaries:train, //binaries:command_line //binaries:flag_types \
    //binaries:preset_flag //binaries:training_task //datasets:__init__ //datasets:curriculum \
    //datasets:registry //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/parallel:hosts //haiku_spectral/parallel:mesh //haiku_spectral:shutdown \
    //haiku_spectral/storage:atomic_file //haiku_spectral/training:loop \
    //haiku_spectral/training:run_folder //haiku_spectral/training:time_budget, \
    //haiku_spectral/configs:nano)
$(call py_library, //binaries:training_task, //binaries:extrapolation_report //datasets:__init__ \
    //datasets:curriculum //datasets:pipeline //datasets:prefetch \
    //haiku_spectral/config:__init__ //haiku_spectral/modules:filters \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/training:task)
$(call py_library, //datasets:__init__, //datasets:registry)
$(call py_library, //datasets/agent_transcripts:agent_transcripts_dataset_builder, \
    //datasets:__init__ //datasets:packed_builder //datasets:packing //datasets:registry \
    //datasets:splits //datasets:text_files //haiku_spectral/agent:document \
    //haiku_spectral/agent:transcript //haiku_spectral/storage:file_name)
$(call py_library, //datasets:build_report, //datasets:__init__ \
    //haiku_spectral/storage:file_name)
$(call py_library, //datasets/c4_english:c4_english_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/cleaning:contamination, //datasets:__init__ \
    //datasets/cleaning:normalise //datasets/cleaning:rolling_hash)
$(call py_library, //datasets/cleaning:duplicates, //datasets:__init__ \
    //datasets/cleaning:rolling_hash //datasets:splits)
$(call py_library, //datasets/cleaning:language, //datasets:__init__)
$(call py_library, //datasets/cleaning:normalise, //datasets:__init__)
$(call py_library, //datasets/cleaning:rolling_hash, //datasets:__init__)
$(call py_library, //datasets/cleaning:rules, //datasets:__init__ \
    //datasets/cleaning:contamination //datasets/cleaning:language //datasets/cleaning:normalise \
    //haiku_spectral:requirement)
$(call py_library, //datasets:curriculum, //datasets:__init__ //datasets:packing \
    //datasets:pipeline //datasets:registry //datasets:windows //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases)
$(call py_library, //datasets/enwik8:enwik8_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/github_code:github_code_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/golden:golden_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw \
    //datasets/readers:reader //datasets:splits //haiku_spectral/tasks:verified_sample)
$(call py_library, //datasets:mixture, //datasets:__init__)
$(call py_library, //datasets:packed_builder, //datasets:__init__ //datasets:packing \
    //datasets:text_files //haiku_spectral/storage:file_name)
$(call py_library, //datasets:packing, //datasets:__init__ //haiku_spectral/config:__init__ \
    //haiku_spectral:vocab)
$(call py_library, //datasets/pg19:pg19_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/pile_english:pile_english_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets:pipeline, //datasets:__init__ //datasets:mixture //datasets:packing \
    //datasets:windows //haiku_spectral/config:__init__ //haiku_spectral:vocab)
$(call py_library, //datasets:prefetch, //datasets:__init__ //datasets:pipeline)
$(call py_library, //datasets:preparation, //datasets:__init__ //datasets:packed_builder \
    //datasets:registry //haiku_spectral/storage:atomic_file //haiku_spectral/storage:file_lock)
$(call py_library, //datasets:published, //datasets:__init__ //datasets/cleaning:rules \
    //datasets/readers:raw //datasets/readers:reader //datasets:streaming_builder)
$(call py_library, //datasets/readers:bounded, //datasets:__init__)
$(call py_library, //datasets/readers:decompression, //datasets:__init__)
$(call py_library, //datasets/readers:fields, //datasets:__init__ //datasets/readers:raw)
$(call py_library, //datasets/readers:json_lines, //datasets:__init__ //datasets/readers:bounded \
    //datasets/readers:fields //datasets/readers:raw)
$(call py_library, //datasets/readers:parquet, //datasets:__init__ //datasets/readers:fields \
    //datasets/readers:raw)
$(call py_library, //datasets/readers:plain_text, //datasets:__init__ //datasets/readers:bounded \
    //datasets/readers:raw)
$(call py_library, //datasets/readers:raw, //datasets:__init__ //haiku_spectral:requirement \
    //haiku_spectral/storage:file_name)
$(call py_library, //datasets/readers:reader, //datasets:__init__ \
    //datasets/readers:decompression //datasets/readers:json_lines //datasets/readers:plain_text \
    //datasets/readers:raw //datasets/readers:reader_process //datasets/readers:zipped \
    //haiku_spectral/storage:file_name)
$(call py_library, //datasets/readers:reader_process, //datasets:__init__ \
    //datasets/readers:parquet //datasets/readers:raw)
$(call py_library, //datasets/readers:zipped, //datasets:__init__ //datasets/readers:plain_text \
    //datasets/readers:raw //haiku_spectral/storage:file_name)
$(call py_library, //datasets:registry, //haiku_spectral/storage:file_name)
$(call py_library, //datasets/shakespeare_sonnets:shakespeare_sonnets_dataset_builder, \
    //datasets:__init__ //datasets:published //datasets/readers:raw)
$(call py_library, //datasets:splits, //datasets:__init__)
$(call py_library, //datasets/starter:starter_dataset_builder, //datasets:__init__ \
    //datasets:packed_builder //datasets:splits //datasets:text_files)
$(call py_library, //datasets/streaming:assignment, //datasets:__init__ \
    //datasets/cleaning:duplicates //datasets/cleaning:rules //datasets:packing //datasets:splits \
    //datasets/streaming:collect //datasets/streaming:reason_counts //datasets/streaming:table \
    //datasets/streaming:work_units)
$(call py_library, //datasets/streaming:collect, //datasets:__init__ \
    //datasets/cleaning:contamination //datasets/cleaning:duplicates //datasets/cleaning:rules \
    //datasets/readers:raw //datasets/readers:reader //datasets:splits \
    //datasets/streaming:reason_counts //datasets/streaming:spool //datasets/streaming:table \
    //datasets/streaming:work_units //haiku_spectral/storage:file_name)
$(call py_library, //datasets/streaming:evaluation_text, //datasets:__init__ \
    //datasets/cleaning:contamination //datasets:packing //datasets/streaming:work_units \
    //datasets:text_files)
$(call py_library, //datasets/streaming:reason_counts, //datasets:__init__ \
    //haiku_spectral/storage:file_name)
$(call py_library, //datasets/streaming:runners, //datasets:__init__)
$(call py_library, //datasets/streaming:shards, //datasets:__init__ //datasets:packed_builder \
    //datasets:packing //datasets/streaming:assignment //datasets/streaming:collect \
    //datasets/streaming:spool //datasets/streaming:table //datasets/streaming:work_units)
$(call py_library, //datasets/streaming:spool, //datasets:__init__)
$(call py_library, //datasets/streaming:summary, //datasets:__init__ \
    //datasets/streaming:assignment //datasets/streaming:collect \
    //datasets/streaming:reason_counts //datasets/streaming:table)
$(call py_library, //datasets/streaming:table, //datasets:__init__ \
    //datasets/cleaning:duplicates)
$(call py_library, //datasets/streaming:work_units, //datasets:__init__ \
    //haiku_spectral/storage:atomic_file)
$(call py_library, //datasets:streaming_builder, //datasets:__init__ //datasets/cleaning:rules \
    //datasets:packed_builder //datasets/readers:raw //datasets/streaming:assignment \
    //datasets/streaming:collect //datasets/streaming:evaluation_text \
    //datasets/streaming:runners //datasets/streaming:shards //datasets/streaming:summary \
    //haiku_spectral:requirement //haiku_spectral/storage:file_name)
$(call py_library, //datasets:synthetic, //datasets:__init__ //datasets/readers:raw \
    //datasets:streaming_builder)
$(call py_library, //datasets:text_files, //datasets:__init__ //datasets:registry \
    //datasets:splits //haiku_spectral/storage:file_name)
$(call py_library, //datasets/text_folder:text_folder_dataset_builder, //datasets:__init__ \
    //datasets:packed_builder //datasets:registry //datasets:splits //datasets:text_files \
    //haiku_spectral:requirement //haiku_spectral/storage:file_name)
$(call py_library, //datasets/tiny_shakespeare:tiny_shakespeare_dataset_builder, \
    //datasets:__init__ //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/tiny_stories:tiny_stories_dataset_builder, //datasets:__init__ \
    //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/turkish_academic:turkish_academic_dataset_builder, \
    //datasets:__init__ //datasets/cleaning:rules //datasets:published)
$(call py_library, //datasets/turkish_web:turkish_web_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets/wikitext103:wikitext103_dataset_builder, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:published //datasets/readers:raw)
$(call py_library, //datasets:windows, //datasets:__init__ //datasets:packing //datasets:registry \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/agent:actions)
$(call py_library, //haiku_spectral/agent:document, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:transcript //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/agent:execution, //haiku_spectral/agent:workspace \
    //haiku_spectral/sandbox:result)
$(call py_library, //haiku_spectral/agent:folder, //haiku_spectral/agent:history \
    //haiku_spectral/agent:sampler //haiku_spectral/agent:transcript \
    //haiku_spectral/agent:workspace //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:session)
$(call py_library, //haiku_spectral/agent:goals, //haiku_spectral:requirement \
    //haiku_spectral/tasks:problem)
$(call py_library, //haiku_spectral/agent:goals_report, //haiku_spectral/agent:goals \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation:plot \
    //haiku_spectral/evaluation:report)
$(call py_library, //haiku_spectral/agent:history, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:transcript //haiku_spectral/agent:workspace)
$(call py_library, //haiku_spectral/agent:horizon, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:session //haiku_spectral:requirement \
    //haiku_spectral/sandbox:result //haiku_spectral/storage:atomic_file \
    //haiku_spectral/tasks:problem //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/agent:horizon_report, //haiku_spectral/evaluation:bootstrap \
    //haiku_spectral/evaluation:plot)
$(call py_library, //haiku_spectral/agent:loop, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:execution //haiku_spectral/agent:folder //haiku_spectral/agent:history \
    //haiku_spectral/agent:sampler //haiku_spectral/agent:transcript \
    //haiku_spectral/agent:workspace //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/agent:play, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:document //haiku_spectral/agent:execution //haiku_spectral/agent:goals \
    //haiku_spectral/agent:loop //haiku_spectral/agent:sampler //haiku_spectral/agent:teacher \
    //haiku_spectral/agent:transcript //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:generation //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/agent:sampler, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:document //haiku_spectral/agent:transcript \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:generation //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:sampling)
$(call py_library, //haiku_spectral/agent:teacher, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:execution //haiku_spectral/agent:goals //haiku_spectral/agent:history \
    //haiku_spectral/agent:loop //haiku_spectral/agent:transcript \
    //haiku_spectral/sandbox:result)
$(call py_library, //haiku_spectral/agent:transcript, //haiku_spectral/agent:actions \
    //haiku_spectral/agent:workspace //haiku_spectral/storage:append_log \
    //haiku_spectral/storage:file_lock //haiku_spectral/storage:strict_json)
$(call py_library, //haiku_spectral/agent:workspace, //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral:backend)
$(call py_library, //haiku_spectral/benchmarks:compression, //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:subject \
    //haiku_spectral/compression:codec //haiku_spectral/compression:predictor \
    //haiku_spectral/decoding:session //haiku_spectral/evaluation:compressors)
$(call py_library, //haiku_spectral/benchmarks:coordinates, \
    //haiku_spectral/benchmarks:device_step //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:subject \
    //haiku_spectral/config:__init__ //haiku_spectral/evaluation:plot \
    //haiku_spectral/modules:block //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:mesh //haiku_spectral/training:gradients \
    //haiku_spectral/training:state //haiku_spectral/training:step //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/benchmarks:data, //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings)
$(call py_library, //haiku_spectral/benchmarks:decode, //haiku_spectral/benchmarks:compression \
    //haiku_spectral/benchmarks:plot //haiku_spectral/benchmarks:processes \
    //haiku_spectral/benchmarks:report //haiku_spectral/benchmarks:settings \
    //haiku_spectral/benchmarks:speed //haiku_spectral/benchmarks:subject)
$(call py_library, //haiku_spectral/benchmarks:device, //haiku_spectral:backend \
    //haiku_spectral/benchmarks:device_convolution //haiku_spectral/benchmarks:device_rates \
    //haiku_spectral/benchmarks:device_step //haiku_spectral/benchmarks:device_trace \
    //haiku_spectral/benchmarks:recorder //haiku_spectral/benchmarks:report \
    //haiku_spectral/config:__init__ //haiku_spectral/configs:presets)
$(call py_library, //haiku_spectral/benchmarks:device_convolution, \
    //haiku_spectral/benchmarks:device_rates //haiku_spectral/ops:fft_conv \
    //haiku_spectral/ops:toeplitz_conv)
$(call py_library, //haiku_spectral/benchmarks:device_rates, //haiku_spectral/parallel:hardware)
$(call py_library, //haiku_spectral/benchmarks:device_step, \
    //haiku_spectral/benchmarks:device_rates //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:gradients //haiku_spectral/training:state \
    //haiku_spectral/training:step)
$(call py_library, //haiku_spectral/benchmarks:device_trace, \
    //haiku_spectral/benchmarks:device_step)
$(call py_library, //haiku_spectral/benchmarks:plot, //haiku_spectral/evaluation:plot)
$(call py_binary, //haiku_spectral/benchmarks:prefill_peak, //haiku_spectral:backend \
    //haiku_spectral/benchmarks:step_worker //haiku_spectral/benchmarks:subject \
    //haiku_spectral/benchmarks:timing //haiku_spectral/decoding:prefill)
$(call py_library, //haiku_spectral/benchmarks:processes, //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:speed \
    //haiku_spectral/benchmarks:step_worker //haiku_spectral/benchmarks:subject, \
    //haiku_spectral/benchmarks:prefill_peak)
$(call py_library, //haiku_spectral/benchmarks:quality, //haiku_spectral/benchmarks:quality_plot \
    //haiku_spectral/benchmarks:report //haiku_spectral/benchmarks:settings \
    //haiku_spectral/config:__init__ //haiku_spectral/evaluation:bootstrap \
    //haiku_spectral/evaluation:compressors //haiku_spectral/evaluation:long_ngram \
    //haiku_spectral/evaluation:ngram //haiku_spectral/evaluation:streaming \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/training:checkpoint \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/benchmarks:quality_plot, //haiku_spectral/benchmarks:report \
    //haiku_spectral/evaluation:plot)
$(call py_library, //haiku_spectral/benchmarks:recorder, //haiku_spectral/benchmarks:report)
$(call py_library, //haiku_spectral/benchmarks:report, //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral/benchmarks:sandboxed_jobs, //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:timing \
    //haiku_spectral/sandbox:result //haiku_spectral/sandbox:sandbox \
    //haiku_spectral/sandbox:worker)
$(call py_library, //haiku_spectral/benchmarks:settings)
$(call py_library, //haiku_spectral/benchmarks:speed, //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:subject \
    //haiku_spectral/benchmarks:timing //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:prefill //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/benchmarks:step_worker)
$(call py_library, //haiku_spectral/benchmarks:subject, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:tiny //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:one_by_one //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:sampling //haiku_spectral/decoding:speculation \
    //haiku_spectral/modules:filters //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint)
$(call py_library, //haiku_spectral/benchmarks:timing)
$(call py_library, //haiku_spectral/benchmarks:train, //haiku_spectral/benchmarks:plot \
    //haiku_spectral/benchmarks:report //haiku_spectral/benchmarks:settings \
    //haiku_spectral/benchmarks:step_worker //haiku_spectral/benchmarks:subject, \
    //haiku_spectral/benchmarks:train_step)
$(call py_binary, //haiku_spectral/benchmarks:train_step, //haiku_spectral:backend \
    //haiku_spectral/benchmarks:device_step //haiku_spectral/benchmarks:step_worker \
    //haiku_spectral/benchmarks:timing //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:tiny //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:run_folder)
$(call py_binary, //haiku_spectral/benchmarks:transformer_baseline, //haiku_spectral:backend)
$(call py_binary, //haiku_spectral/benchmarks:transformer_train_step, //haiku_spectral:backend \
    //haiku_spectral/benchmarks:step_worker //haiku_spectral/benchmarks:transformer_baseline)
$(call py_library, //haiku_spectral/compression:codec, \
    //haiku_spectral/compression:compressed_file //haiku_spectral/compression:predictor \
    //haiku_spectral/compression:range_coder //haiku_spectral/decoding:session \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/compression:compressed_file, \
    //haiku_spectral/decoding:session)
$(call py_library, //haiku_spectral/compression:predictor, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:decoder \
    //haiku_spectral/modules:precision)
$(call py_library, //haiku_spectral/compression:range_coder)
$(call py_library, //haiku_spectral/config:__init__, //haiku_spectral/config:checks \
    //haiku_spectral/config:schema //haiku_spectral/config:serialisation \
    //haiku_spectral/config:table_sizes)
$(call py_library, //haiku_spectral/config:checks, //haiku_spectral/config:fields \
    //haiku_spectral/config:phases //haiku_spectral/config:schema //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/config:fields, //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/config:phases, //haiku_spectral/config:schema)
$(call py_library, //haiku_spectral/config:schema, //haiku_spectral/config:fields \
    //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/config:serialisation, //haiku_spectral/config:checks \
    //haiku_spectral/config:fields //haiku_spectral/config:schema \
    //haiku_spectral/storage:strict_json)
$(call py_library, //haiku_spectral/config:table_sizes, //haiku_spectral/config:schema \
    //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/configs:100b, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:sizes)
$(call py_library, //haiku_spectral/configs:1b, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:sizes)
$(call py_library, //haiku_spectral/configs:7b, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:sizes)
$(call py_library, //haiku_spectral/configs:agent, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:nano)
$(call py_library, //haiku_spectral/configs:base, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:curriculum, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:base)
$(call py_library, //haiku_spectral/configs:curriculum_small, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:duel, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:nano, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:presets, //haiku_spectral/config:__init__ \
    //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/configs:self_improve, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:sizes, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:small, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/configs:tiny, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/decoding:automaton, //haiku_spectral/decoding:regex_compiler)
$(call py_library, //haiku_spectral/decoding:candidates, //haiku_spectral/decoding:sampling \
    //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:chat, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:display //haiku_spectral/decoding:session //haiku_spectral:shutdown \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:constraint, //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:sampling //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:context, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:decoder, //haiku_spectral:backend \
    //haiku_spectral/config:__init__ //haiku_spectral/decoding:context \
    //haiku_spectral/modules:decode_cache //haiku_spectral/modules:precision \
    //haiku_spectral/modules:spectral_gpt)
$(call py_library, //haiku_spectral/decoding:display, //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:generation, //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:constraint //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:loop \
    //haiku_spectral/decoding:one_by_one //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:row //haiku_spectral/decoding:sampling)
$(call py_library, //haiku_spectral/decoding:loop, //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:constraint //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:row //haiku_spectral/decoding:sampling)
$(call py_library, //haiku_spectral/decoding:one_by_one, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:constraint //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:loop //haiku_spectral/decoding:row \
    //haiku_spectral/decoding:sampling //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:prefill, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:sampling //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:prompt)
$(call py_library, //haiku_spectral/decoding:prompt_lookup)
$(call py_binary, //haiku_spectral/decoding:regex_compiler)
$(call py_library, //haiku_spectral/decoding:row, //haiku_spectral/decoding:stopping \
    //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:sampling, //haiku_spectral/decoding:context \
    //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:scheduler, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:loop //haiku_spectral/decoding:one_by_one \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:row \
    //haiku_spectral/decoding:sampling //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:session, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:session_file \
    //haiku_spectral/storage:atomic_file //haiku_spectral/storage:file_lock)
$(call py_library, //haiku_spectral/decoding:session_file)
$(call py_library, //haiku_spectral/decoding:speculation, //haiku_spectral/decoding:constraint \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:loop \
    //haiku_spectral/decoding:prompt_lookup //haiku_spectral/decoding:sampling \
    //haiku_spectral/modules:decode_cache //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/decoding:stopping)
$(call py_library, //haiku_spectral/decoding:typed_lines)
$(call py_library, //haiku_spectral/distillation:comparison, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling \
    //haiku_spectral/distillation:distill //haiku_spectral/evaluation:streaming \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/training:loss //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/distillation:distill, //haiku_spectral/config:__init__ \
    //haiku_spectral/distillation:filter_errors //haiku_spectral/distillation:modal_fit \
    //haiku_spectral/distillation:modal_params //haiku_spectral/modules:filters \
    //haiku_spectral/modules:hyena //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint_store //haiku_spectral/training:run_folder \
    //haiku_spectral/training:state)
$(call py_library, //haiku_spectral/distillation:filter_errors, //haiku_spectral/config:__init__ \
    //haiku_spectral/distillation:modal_params //haiku_spectral/modules:filters)
$(call py_library, //haiku_spectral/distillation:modal_fit)
$(call py_library, //haiku_spectral/distillation:modal_params, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/evaluation:bootstrap)
$(call py_library, //haiku_spectral/evaluation:code_length, \
    //haiku_spectral/evaluation:compressors //haiku_spectral/evaluation:plot \
    //haiku_spectral/evaluation:report //haiku_spectral/evaluation:streaming \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation:compressors)
$(call py_library, //haiku_spectral/evaluation:context_length, \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation:compressors \
    //haiku_spectral/evaluation:context_report //haiku_spectral/evaluation:streaming \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation:context_plot, \
    //haiku_spectral/evaluation:context_report //haiku_spectral/evaluation:plot)
$(call py_library, //haiku_spectral/evaluation:context_report, \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation:report)
$(call py_library, //haiku_spectral/evaluation:duel, //haiku_spectral/evaluation:report \
    //haiku_spectral/evaluation:streaming //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation:extrapolation, \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation:plan \
    //haiku_spectral/evaluation:report //haiku_spectral/evaluation:streaming \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation:likelihood, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation:long_ngram)
$(call py_library, //haiku_spectral/evaluation/minimal_pairs:pair)
$(call py_library, //haiku_spectral/evaluation/minimal_pairs:plot, \
    //haiku_spectral/evaluation/minimal_pairs:scoring //haiku_spectral/evaluation:plot)
$(call py_library, //haiku_spectral/evaluation/minimal_pairs:report, \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation/minimal_pairs:scoring \
    //haiku_spectral/evaluation:report)
$(call py_library, //haiku_spectral/evaluation/minimal_pairs:scoring, \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation/minimal_pairs:pair)
$(call py_library, //haiku_spectral/evaluation/minimal_pairs:turblimp, \
    //haiku_spectral/evaluation/minimal_pairs:pair //haiku_spectral/storage:file_name)
$(call py_library, //haiku_spectral/evaluation:ngram, //haiku_spectral/evaluation:report)
$(call py_library, //haiku_spectral/evaluation:plan, //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/evaluation:plot, //haiku_spectral/evaluation:bootstrap \
    //haiku_spectral/evaluation:report //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral/evaluation/recall:background, //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/evaluation/recall:example, \
    //haiku_spectral/evaluation/recall:background //haiku_spectral/evaluation/recall:tasks \
    //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation/recall:plot, //haiku_spectral/evaluation:plot \
    //haiku_spectral/evaluation/recall:report //haiku_spectral/evaluation/recall:scoring)
$(call py_library, //haiku_spectral/evaluation/recall:report, \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation/recall:scoring \
    //haiku_spectral/evaluation/recall:tasks //haiku_spectral/evaluation:report)
$(call py_library, //haiku_spectral/evaluation/recall:scoring, \
    //haiku_spectral/evaluation/recall:background //haiku_spectral/evaluation/recall:example \
    //haiku_spectral/evaluation/recall:tasks //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:requirement //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation/recall:tasks)
$(call py_library, //haiku_spectral/evaluation/recall:training_text, \
    //haiku_spectral/evaluation/recall:background //haiku_spectral/evaluation/recall:example \
    //haiku_spectral/evaluation/recall:tasks //haiku_spectral:requirement \
    //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral/evaluation:report, //haiku_spectral/evaluation:bootstrap)
$(call py_library, //haiku_spectral/evaluation:short_texts, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/ops:fft_conv //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/evaluation:streaming, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/export:exported, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:session //haiku_spectral/export:numpy_loader \
    //haiku_spectral/storage:atomic_file //haiku_spectral/storage:strict_json \
    //haiku_spectral/training:leaves)
$(call py_library, //haiku_spectral/export:numpy_loader)
$(call py_library, //haiku_spectral/modules:attention, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:layers //haiku_spectral/modules:mixer //haiku_spectral/ops:slices \
    //haiku_spectral/ops:window_attention //haiku_spectral/ops:window_cache \
    //haiku_spectral/ops:window_crossing)
$(call py_library, //haiku_spectral/modules:block, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:layers //haiku_spectral/modules:mixer)
$(call py_library, //haiku_spectral/modules:count_memory, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:schema //haiku_spectral/modules:layers //haiku_spectral/modules:mixer \
    //haiku_spectral/ops:block_lines //haiku_spectral/ops:count_cache \
    //haiku_spectral/ops:count_memory //haiku_spectral/ops:lookup \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/modules:decode_cache, //haiku_spectral:backend \
    //haiku_spectral/config:__init__ //haiku_spectral/modules:mixer \
    //haiku_spectral/modules:mixers //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/ops:conv_cache)
$(call py_library, //haiku_spectral/modules:filter_cache, //haiku_spectral/modules:mixer \
    //haiku_spectral/ops:conv_cache)
$(call py_library, //haiku_spectral/modules:filters, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:filter_cache //haiku_spectral/modules:modal_filter \
    //haiku_spectral/modules:time_constants //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:conv_crossing //haiku_spectral/ops:fft_conv)
$(call py_library, //haiku_spectral/modules:hyena, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:filter_cache //haiku_spectral/modules:filters \
    //haiku_spectral/modules:layers //haiku_spectral/modules:mixer \
    //haiku_spectral/ops:conv_crossing //haiku_spectral/ops:fft_conv //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/modules:layers, //haiku_spectral/modules:mixer \
    //haiku_spectral/ops:conv_cache //haiku_spectral/ops:dense //haiku_spectral/ops:fft_conv)
$(call py_library, //haiku_spectral/modules:match_memory, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:mixer //haiku_spectral/ops:block_lines \
    //haiku_spectral/ops:match_cache //haiku_spectral/ops:match_memory \
    //haiku_spectral/ops:ngram_memory)
$(call py_library, //haiku_spectral/modules:memory, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:layers //haiku_spectral/modules:mixer \
    //haiku_spectral/modules:time_constants //haiku_spectral/ops:conv_crossing \
    //haiku_spectral/ops:fft_conv //haiku_spectral/ops:linear_memory \
    //haiku_spectral/ops:memory_cache //haiku_spectral/ops:memory_crossing \
    //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/modules:mixer, //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/modules:mixers, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:schema //haiku_spectral/modules:attention \
    //haiku_spectral/modules:count_memory //haiku_spectral/modules:hyena \
    //haiku_spectral/modules:match_memory //haiku_spectral/modules:memory \
    //haiku_spectral/modules:mixer //haiku_spectral/modules:ngram_memory \
    //haiku_spectral/modules:online_head)
$(call py_library, //haiku_spectral/modules:modal_filter, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:filter_cache //haiku_spectral/modules:mixer \
    //haiku_spectral/modules:time_constants //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:fft_conv //haiku_spectral/ops:modal_cache //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/modules:ngram_memory, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:schema //haiku_spectral/modules:layers //haiku_spectral/modules:mixer \
    //haiku_spectral/ops:block_lines //haiku_spectral/ops:lookup //haiku_spectral/ops:ngram_cache \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_crossing \
    //haiku_spectral/ops:ngram_memory //haiku_spectral/ops:slices //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/modules:online_head, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:mixer //haiku_spectral/ops:head_cache \
    //haiku_spectral/ops:online_head //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/modules:precision)
$(call py_library, //haiku_spectral/modules:remat, //haiku_spectral:backend)
$(call py_library, //haiku_spectral/modules:shards, //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/modules:spectral_gpt, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:block //haiku_spectral/modules:count_memory \
    //haiku_spectral/modules:layers //haiku_spectral/modules:mixer \
    //haiku_spectral/modules:mixers //haiku_spectral/modules:ngram_memory \
    //haiku_spectral/modules:online_head //haiku_spectral/modules:remat \
    //haiku_spectral/modules:shards //haiku_spectral/ops:lookup //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/modules:time_constants)
$(call py_library, //haiku_spectral/ops:block_lines, //haiku_spectral/ops:conv_cache)
$(call py_library, //haiku_spectral/ops:context_lines, //haiku_spectral/ops:block_lines \
    //haiku_spectral/ops:conv_cache //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_memory)
$(call py_library, //haiku_spectral/ops:conv_cache, //haiku_spectral/ops:fft_conv)
$(call py_library, //haiku_spectral/ops:conv_crossing, //haiku_spectral/ops:fft_conv \
    //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/ops:count_cache, //haiku_spectral/ops:block_lines \
    //haiku_spectral/ops:context_lines //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:count_memory //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:ngram_contexts)
$(call py_library, //haiku_spectral/ops:count_memory, //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_memory)
$(call py_library, //haiku_spectral/ops:dense, //haiku_spectral:backend)
$(call py_library, //haiku_spectral/ops:fft_conv, //haiku_spectral:backend \
    //haiku_spectral/ops:toeplitz_conv)
$(call py_library, //haiku_spectral/ops:hashed_table)
$(call py_library, //haiku_spectral/ops:head_cache, //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:lookup //haiku_spectral/ops:online_head)
$(call py_library, //haiku_spectral/ops:linear_memory)
$(call py_library, //haiku_spectral/ops:lookup, //haiku_spectral:backend)
$(call py_library, //haiku_spectral/ops:match_cache, //haiku_spectral/ops:block_lines \
    //haiku_spectral/ops:conv_cache //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:match_memory //haiku_spectral/ops:ngram_memory)
$(call py_library, //haiku_spectral/ops:match_memory, //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_memory)
$(call py_library, //haiku_spectral/ops:memory_cache, //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:linear_memory)
$(call py_library, //haiku_spectral/ops:memory_crossing, //haiku_spectral/ops:linear_memory \
    //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/ops:modal_cache, //haiku_spectral/ops:conv_cache)
$(call py_library, //haiku_spectral/ops:ngram_cache, //haiku_spectral/ops:block_lines \
    //haiku_spectral/ops:context_lines //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:hashed_table //haiku_spectral/ops:ngram_contexts \
    //haiku_spectral/ops:ngram_memory)
$(call py_library, //haiku_spectral/ops:ngram_contexts)
$(call py_library, //haiku_spectral/ops:ngram_crossing, //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_memory \
    //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/ops:ngram_memory, //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:ngram_contexts)
$(call py_library, //haiku_spectral/ops:online_head, //haiku_spectral/ops:conv_cache)
$(call py_library, //haiku_spectral/ops:rotary)
$(call py_library, //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/ops:toeplitz_conv)
$(call py_library, //haiku_spectral/ops:window_attention, //haiku_spectral/ops:rotary)
$(call py_library, //haiku_spectral/ops:window_cache, //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:rotary //haiku_spectral/ops:window_attention)
$(call py_library, //haiku_spectral/ops:window_crossing, //haiku_spectral/ops:slices \
    //haiku_spectral/ops:window_attention)
$(call py_library, //haiku_spectral/parallel:hardware, //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/parallel:hosts)
$(call py_library, //haiku_spectral/parallel:mesh, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:shards //haiku_spectral/ops:slices)
$(call py_library, //haiku_spectral/parallel:sharding, //haiku_spectral/parallel:mesh)
$(call py_library, //haiku_spectral/parallel:traffic, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:mixer //haiku_spectral/modules:mixers \
    //haiku_spectral/modules:precision //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/ops:slices //haiku_spectral/parallel:mesh \
    //haiku_spectral/parallel:sharding)
$(call py_library, //haiku_spectral/planning:aot, //haiku_spectral:backend \
    //haiku_spectral/config:__init__ //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:mesh //haiku_spectral/training:gradients \
    //haiku_spectral/training:state //haiku_spectral/training:step)
$(call py_library, //haiku_spectral/planning:memory, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:precision \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:state //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/planning:plan, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:presets //haiku_spectral/configs:sizes \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:hardware \
    //haiku_spectral/parallel:mesh //haiku_spectral/parallel:sharding \
    //haiku_spectral/parallel:traffic //haiku_spectral/planning:aot \
    //haiku_spectral/planning:memory //haiku_spectral/planning:roofline \
    //haiku_spectral/training:state)
$(call py_library, //haiku_spectral/planning:roofline, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:hardware //haiku_spectral/parallel:mesh \
    //haiku_spectral/planning:memory)
$(call py_library, //haiku_spectral/planning:text, //haiku_spectral/benchmarks:report \
    //haiku_spectral/parallel:mesh //haiku_spectral/planning:plan)
$(call py_library, //haiku_spectral/reporting:axis)
$(call py_library, //haiku_spectral/reporting:card, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:citation //haiku_spectral/reporting:document \
    //haiku_spectral/reporting:markdown //haiku_spectral/reporting:measurements \
    //haiku_spectral/reporting:provenance //haiku_spectral/reporting:results \
    //haiku_spectral/reporting:training)
$(call py_library, //haiku_spectral/reporting:chart, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:document)
$(call py_library, //haiku_spectral/reporting:citation)
$(call py_library, //haiku_spectral/reporting:document)
$(call py_library, //haiku_spectral/reporting:html, //haiku_spectral/reporting:chart \
    //haiku_spectral/reporting:document)
$(call py_library, //haiku_spectral/reporting:markdown, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:document)
$(call py_library, //haiku_spectral/reporting:measurements, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:results)
$(call py_library, //haiku_spectral/reporting:provenance, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:document //haiku_spectral/reporting:results \
    //haiku_spectral/training:metrics)
$(call py_library, //haiku_spectral/reporting:quality, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:document //haiku_spectral/reporting:results)
$(call py_library, //haiku_spectral/reporting:report, //haiku_spectral/reporting:document \
    //haiku_spectral/reporting:provenance //haiku_spectral/reporting:quality \
    //haiku_spectral/reporting:results //haiku_spectral/reporting:training)
$(call py_library, //haiku_spectral/reporting:results, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/storage:append_log //haiku_spectral/storage:strict_json \
    //haiku_spectral/training:metrics //haiku_spectral/training:run_folder)
$(call py_library, //haiku_spectral/reporting:training, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:document //haiku_spectral/reporting:results \
    //haiku_spectral/training:loss //haiku_spectral/training:metrics)
$(call py_library, //haiku_spectral:requirement)
$(call py_library, //haiku_spectral/sandbox:bubblewrap, //haiku_spectral/sandbox:namespaces \
    //haiku_spectral/sandbox:result //haiku_spectral/sandbox:runtime)
$(call py_binary, //haiku_spectral/sandbox:interpreter, //haiku_spectral/sandbox:landlock_rules \
    //haiku_spectral/sandbox:literals)
$(call py_library, //haiku_spectral/sandbox:landlock, //haiku_spectral/sandbox:landlock_rules \
    //haiku_spectral/sandbox:runtime //haiku_spectral/sandbox:seccomp_filter)
$(call py_library, //haiku_spectral/sandbox:landlock_rules)
$(call py_library, //haiku_spectral/sandbox:literals)
$(call py_library, //haiku_spectral/sandbox:namespaces)
$(call py_library, //haiku_spectral/sandbox:probe)
$(call py_library, //haiku_spectral/sandbox:result)
$(call py_library, //haiku_spectral/sandbox:runtime, //haiku_spectral/sandbox:interpreter \
    //haiku_spectral/sandbox:literals //haiku_spectral/sandbox:result)
$(call py_library, //haiku_spectral/sandbox:sandbox, //haiku_spectral/sandbox:literals \
    //haiku_spectral/sandbox:result //haiku_spectral/sandbox:runtime \
    //haiku_spectral/sandbox:selftest //haiku_spectral/sandbox:worker)
$(call py_library, //haiku_spectral/sandbox:seccomp_filter)
$(call py_library, //haiku_spectral/sandbox:selftest, //haiku_spectral/sandbox:bubblewrap \
    //haiku_spectral/sandbox:literals //haiku_spectral/sandbox:probe \
    //haiku_spectral/sandbox:result //haiku_spectral/sandbox:runtime \
    //haiku_spectral/sandbox:worker)
$(call py_library, //haiku_spectral/sandbox:worker, //haiku_spectral/sandbox:bubblewrap \
    //haiku_spectral/sandbox:interpreter //haiku_spectral/sandbox:landlock \
    //haiku_spectral/sandbox:literals //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:seccomp_filter)
$(call py_library, //haiku_spectral/self_training:acceptance_filter, \
    //haiku_spectral/self_training:frontier //haiku_spectral/tasks:problem \
    //haiku_spectral/tasks:verified_sample)
$(call py_library, //haiku_spectral/self_training:agreement, \
    //haiku_spectral/self_training:verifier_cache //haiku_spectral/tasks:problem \
    //haiku_spectral/tasks:verified_sample)
$(call py_library, //haiku_spectral/self_training:callbacks, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/self_training:claim, //haiku_spectral/evaluation:bootstrap \
    //haiku_spectral/self_training:evaluation //haiku_spectral/self_training:frontier \
    //haiku_spectral/self_training:outcomes //haiku_spectral/self_training:settings)
$(call py_library, //haiku_spectral/self_training:curriculum, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases)
$(call py_library, //haiku_spectral/self_training:evaluation, \
    //haiku_spectral/self_training:frontier //haiku_spectral/storage:atomic_file \
    //haiku_spectral/storage:strict_json //haiku_spectral/tasks:problem)
$(call py_library, //haiku_spectral/self_training:evaluator, \
    //haiku_spectral/self_training:callbacks //haiku_spectral/self_training:sampler \
    //haiku_spectral/self_training:verifier_cache //haiku_spectral/tasks:problem)
$(call py_library, //haiku_spectral/self_training:frontier)
$(call py_library, //haiku_spectral/self_training:outcomes, \
    //haiku_spectral/self_training:settings //haiku_spectral/storage:atomic_file \
    //haiku_spectral/storage:strict_json)
$(call py_library, //haiku_spectral/self_training:paths)
$(call py_library, //haiku_spectral/self_training:plot, //haiku_spectral/evaluation:plot \
    //haiku_spectral/self_training:claim //haiku_spectral/self_training:evaluation)
$(call py_library, //haiku_spectral/self_training:proposals, //haiku_spectral/tasks:problem)
$(call py_library, //haiku_spectral/self_training:report, //haiku_spectral/evaluation:report \
    //haiku_spectral/self_training:claim //haiku_spectral/self_training:evaluation \
    //haiku_spectral/self_training:outcomes //haiku_spectral/self_training:paths \
    //haiku_spectral/self_training:plot //haiku_spectral/self_training:settings \
    //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral/self_training:rounds, //haiku_spectral/config:__init__ \
    //haiku_spectral/self_training:curriculum //haiku_spectral/self_training:evaluation \
    //haiku_spectral/self_training:evaluator //haiku_spectral/self_training:frontier \
    //haiku_spectral/self_training:outcomes //haiku_spectral/self_training:paths \
    //haiku_spectral/self_training:proposals //haiku_spectral/self_training:samples \
    //haiku_spectral/self_training:seed_run //haiku_spectral/self_training:settings \
    //haiku_spectral/training:metrics //haiku_spectral/training:run_folder)
$(call py_library, //haiku_spectral/self_training:sampler, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:loop \
    //haiku_spectral/decoding:one_by_one //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:row //haiku_spectral/decoding:sampling \
    //haiku_spectral/tasks:problem //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/self_training:samples, \
    //haiku_spectral/self_training:acceptance_filter //haiku_spectral/self_training:agreement \
    //haiku_spectral/self_training:evaluator //haiku_spectral/self_training:frontier \
    //haiku_spectral/self_training:outcomes //haiku_spectral/self_training:proposals \
    //haiku_spectral/self_training:sampler //haiku_spectral/self_training:seed_run \
    //haiku_spectral/self_training:verifier_cache //haiku_spectral/storage:atomic_file \
    //haiku_spectral/tasks:problem //haiku_spectral/tasks:verified_sample)
$(call py_library, //haiku_spectral/self_training:seed_run, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:session //haiku_spectral/self_training:callbacks \
    //haiku_spectral/self_training:evaluator //haiku_spectral/self_training:paths \
    //haiku_spectral/self_training:proposals //haiku_spectral/self_training:sampler \
    //haiku_spectral/self_training:settings //haiku_spectral/self_training:verifier_cache \
    //haiku_spectral/tasks:problem //haiku_spectral/training:checkpoint)
$(call py_library, //haiku_spectral/self_training:settings, //haiku_spectral:requirement \
    //haiku_spectral/storage:atomic_file //haiku_spectral/storage:strict_json \
    //haiku_spectral/tasks:registry)
$(call py_library, //haiku_spectral/self_training:verifier_cache, //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:sandbox //haiku_spectral/storage:append_log \
    //haiku_spectral/storage:strict_json //haiku_spectral/tasks:problem \
    //haiku_spectral/tasks:verified_sample)
$(call py_library, //haiku_spectral/serving:answers, //haiku_spectral/serving:job \
    //haiku_spectral/serving:requests //haiku_spectral/serving:text //haiku_spectral/serving:turn \
    //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/serving:app, //haiku_spectral/serving:answers \
    //haiku_spectral/serving:errors //haiku_spectral/serving:guard //haiku_spectral/serving:job \
    //haiku_spectral/serving:requests //haiku_spectral/serving:service \
    //haiku_spectral/serving:text //haiku_spectral/serving:watch)
$(call py_library, //haiku_spectral/serving:chat_template)
$(call py_library, //haiku_spectral/serving:engine, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:row //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:scheduler //haiku_spectral/serving:errors \
    //haiku_spectral/serving:job //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/serving:errors)
$(call py_library, //haiku_spectral/serving:guard, //haiku_spectral/serving:errors)
$(call py_library, //haiku_spectral/serving:job, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:generation //haiku_spectral/decoding:sampling)
$(call py_library, //haiku_spectral/serving:recall)
$(call py_library, //haiku_spectral/serving:requests, //haiku_spectral/decoding:sampling \
    //haiku_spectral/serving:chat_template //haiku_spectral/serving:errors \
    //haiku_spectral/storage:strict_json)
$(call py_library, //haiku_spectral/serving:service, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:schema //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:session //haiku_spectral/serving:answers \
    //haiku_spectral/serving:chat_template //haiku_spectral/serving:engine \
    //haiku_spectral/serving:errors //haiku_spectral/serving:job //haiku_spectral/serving:recall \
    //haiku_spectral/serving:requests //haiku_spectral/serving:session \
    //haiku_spectral/serving:sessions //haiku_spectral/serving:turn)
$(call py_library, //haiku_spectral/serving:session, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:session //haiku_spectral/serving:recall \
    //haiku_spectral/serving:turns)
$(call py_library, //haiku_spectral/serving:sessions, //haiku_spectral/serving:errors \
    //haiku_spectral/serving:session //haiku_spectral/serving:turns \
    //haiku_spectral/storage:atomic_file //haiku_spectral/storage:file_lock)
$(call py_library, //haiku_spectral/serving:text, //haiku_spectral/serving:job \
    //haiku_spectral/serving:turns //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/serving:turn, //haiku_spectral/decoding:context \
    //haiku_spectral/serving:errors //haiku_spectral/serving:job //haiku_spectral/serving:recall \
    //haiku_spectral/serving:session //haiku_spectral/serving:sessions)
$(call py_library, //haiku_spectral/serving:turns, //haiku_spectral/storage:append_log \
    //haiku_spectral/storage:strict_json //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/serving:warm_up, //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:generation //haiku_spectral/decoding:scheduler \
    //haiku_spectral/serving:job)
$(call py_library, //haiku_spectral/serving:watch, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/training:metrics \
    //haiku_spectral/training:run_folder)
$(call py_library, //haiku_spectral:shutdown)
$(call py_library, //haiku_spectral/storage:append_log, //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral/storage:atomic_file)
$(call py_library, //haiku_spectral/storage:file_lock)
$(call py_library, //haiku_spectral/storage:file_name)
$(call py_library, //haiku_spectral/storage:strict_json)
$(call py_library, //haiku_spectral/tasks:arithmetic, //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:column_addition //haiku_spectral/tasks:named_columns \
    //haiku_spectral/tasks:problem)
$(call py_library, //haiku_spectral/tasks:column_addition)
$(call py_library, //haiku_spectral/tasks:expressions)
$(call py_library, //haiku_spectral/tasks:functions, //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:expressions //haiku_spectral/tasks:problem)
$(call py_library, //haiku_spectral/tasks:named_columns)
$(call py_library, //haiku_spectral/tasks:problem, //haiku_spectral/sandbox:literals \
    //haiku_spectral/sandbox:result)
$(call py_library, //haiku_spectral/tasks:registry, //haiku_spectral/tasks:arithmetic \
    //haiku_spectral/tasks:functions //haiku_spectral/tasks:problem \
    //haiku_spectral/tasks:turkish_suffixes)
$(call py_library, //haiku_spectral/tasks:turkish_lexicon, //haiku_spectral/tasks:turkish_stems)
$(call py_library, //haiku_spectral/tasks:turkish_operators)
$(call py_library, //haiku_spectral/tasks:turkish_pairs, \
    //haiku_spectral/evaluation/minimal_pairs:pair //haiku_spectral/tasks:turkish_lexicon \
    //haiku_spectral/tasks:turkish_operators //haiku_spectral/tasks:turkish_stems)
$(call py_library, //haiku_spectral/tasks:turkish_stems)
$(call py_library, //haiku_spectral/tasks:turkish_suffixes, //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:problem //haiku_spectral/tasks:turkish_operators \
    //haiku_spectral/tasks:turkish_stems)
$(call py_library, //haiku_spectral/tasks:verified_sample, //haiku_spectral:requirement \
    //haiku_spectral/storage:strict_json)
$(call py_library, //haiku_spectral/training:accumulators, //haiku_spectral/training:metrics)
$(call py_library, //haiku_spectral/training:checkpoint, //haiku_spectral/config:__init__ \
    //haiku_spectral/parallel:hosts //haiku_spectral/training:leaves \
    //haiku_spectral/training:orbax_errors //haiku_spectral/training:run_folder)
$(call py_library, //haiku_spectral/training:checkpoint_store, //haiku_spectral/parallel:hosts \
    //haiku_spectral/training:checkpoint //haiku_spectral/training:leaves \
    //haiku_spectral/training:orbax_errors //haiku_spectral/training:run_folder)
$(call py_library, //haiku_spectral/training:gradients, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:precision \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/ops:slices \
    //haiku_spectral/parallel:mesh //haiku_spectral/parallel:sharding \
    //haiku_spectral/training:loss //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/training:guards, //haiku_spectral/config:__init__)
$(call py_library, //haiku_spectral/training:heldout, //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:gradients //haiku_spectral/training:loss \
    //haiku_spectral/training:step //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/training:leaves, //haiku_spectral/parallel:hosts)
$(call py_library, //haiku_spectral/training:loop, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/parallel:hosts //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:accumulators //haiku_spectral/training:checkpoint_store \
    //haiku_spectral/training:gradients //haiku_spectral/training:guards \
    //haiku_spectral/training:measurements //haiku_spectral/training:metrics \
    //haiku_spectral/training:run //haiku_spectral/training:run_folder \
    //haiku_spectral/training:speed //haiku_spectral/training:step \
    //haiku_spectral/training:task)
$(call py_library, //haiku_spectral/training:loss, //haiku_spectral:vocab)
$(call py_library, //haiku_spectral/training:loss_scale)
$(call py_library, //haiku_spectral/training:measurements, //haiku_spectral/parallel:hosts \
    //haiku_spectral/parallel:mesh //haiku_spectral/training:accumulators \
    //haiku_spectral/training:heldout //haiku_spectral/training:metrics \
    //haiku_spectral/training:run //haiku_spectral/training:task)
$(call py_library, //haiku_spectral/training:metrics, //haiku_spectral/storage:append_log \
    //haiku_spectral/storage:atomic_file //haiku_spectral/training:loss \
    //haiku_spectral/training:run_folder)
$(call py_library, //haiku_spectral/training:optimizer, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:filters \
    //haiku_spectral/training:width_scaling)
$(call py_library, //haiku_spectral/training:orbax_errors)
$(call py_library, //haiku_spectral/training:progress, //haiku_spectral/training:loss)
$(call py_library, //haiku_spectral/training:run, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/parallel:hosts \
    //haiku_spectral/training:accumulators //haiku_spectral/training:checkpoint \
    //haiku_spectral/training:checkpoint_store //haiku_spectral/training:metrics \
    //haiku_spectral/training:progress //haiku_spectral/training:speed \
    //haiku_spectral/training:state //haiku_spectral/training:step \
    //haiku_spectral/training:task)
$(call py_library, //haiku_spectral/training:run_folder, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/storage:atomic_file \
    //haiku_spectral/storage:file_lock)
$(call py_library, //haiku_spectral/training:speed, //haiku_spectral/parallel:hardware)
$(call py_library, //haiku_spectral/training:state, //haiku_spectral:backend \
    //haiku_spectral/config:__init__ //haiku_spectral/modules:precision \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:mesh \
    //haiku_spectral/parallel:sharding //haiku_spectral/training:guards \
    //haiku_spectral/training:leaves //haiku_spectral/training:loss_scale \
    //haiku_spectral/training:optimizer)
$(call py_library, //haiku_spectral/training:step, //haiku_spectral:backend \
    //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/modules:precision //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:mesh //haiku_spectral/parallel:sharding \
    //haiku_spectral/training:gradients //haiku_spectral/training:guards \
    //haiku_spectral/training:loss //haiku_spectral/training:loss_scale \
    //haiku_spectral/training:optimizer //haiku_spectral/training:state)
$(call py_library, //haiku_spectral/training:task, //haiku_spectral/modules:spectral_gpt)
$(call py_library, //haiku_spectral/training:time_budget, //haiku_spectral/config:__init__ \
    //haiku_spectral/parallel:mesh //haiku_spectral/training:gradients \
    //haiku_spectral/training:state //haiku_spectral/training:step \
    //haiku_spectral/training:task)
$(call py_library, //haiku_spectral/training:width_scaling, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:filters)
$(call py_library, //haiku_spectral:vocab)
$(call py_library, //tests:__init__, //haiku_spectral:backend)
$(call py_test, //tests/agent:actions_test, //haiku_spectral/agent:actions //tests:__init__ \
    //tests:fixed_examples)
$(call py_test, //tests/agent:folder_test, //haiku_spectral/agent:document \
    //haiku_spectral/agent:folder //haiku_spectral/agent:transcript \
    //haiku_spectral/decoding:session //haiku_spectral:vocab //tests:__init__ \
    //tests/agent:scripted //tests/decoding:tiny_model)
$(call py_test, //tests/agent:goals_test, //haiku_spectral/agent:document \
    //haiku_spectral/agent:goals //haiku_spectral/agent:loop //haiku_spectral/agent:teacher \
    //haiku_spectral/agent:transcript //haiku_spectral/sandbox:sandbox \
    //haiku_spectral/tasks:problem //tests:__init__)
$(call py_test, //tests/agent:horizon_test, //haiku_spectral/agent:horizon \
    //haiku_spectral/agent:horizon_report //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:registry //haiku_spectral/tasks:turkish_stems //haiku_spectral:vocab \
    //tests:__init__ //tests/agent:scripted //tests/decoding:tiny_model)
$(call py_test, //tests/agent:loop_test, //haiku_spectral/agent:folder \
    //haiku_spectral/agent:loop //haiku_spectral/agent:transcript //haiku_spectral/sandbox:result \
    //tests:__init__ //tests/agent:scripted)
$(call py_test, //tests/agent:play_test, //haiku_spectral/agent:document \
    //haiku_spectral/agent:folder //haiku_spectral/agent:goals //haiku_spectral/agent:loop \
    //haiku_spectral/agent:play //haiku_spectral/agent:teacher //haiku_spectral:vocab \
    //tests:__init__ //tests/agent:scripted //tests/agent:taught)
$(call py_library, //tests/agent:scripted, //haiku_spectral/agent:folder \
    //haiku_spectral/agent:loop //haiku_spectral/agent:sampler //haiku_spectral/decoding:sampling \
    //haiku_spectral/sandbox:result //tests:__init__ //tests/decoding:tiny_model)
$(call py_library, //tests/agent:taught, //haiku_spectral/agent:play \
    //haiku_spectral/agent:teacher //haiku_spectral/sandbox:sandbox //tests:__init__ \
    //tests/agent:scripted)
$(call py_test, //tests/agent:transcript_test, //haiku_spectral/agent:transcript //tests:__init__ \
    //tests:fixed_examples)
$(call py_test, //tests/agent:workspace_test, //haiku_spectral/agent:workspace //tests:__init__)
$(call py_test, //tests:backend_test, //haiku_spectral:backend //tests:__init__)
$(call py_test, //tests/benchmarks:compression_test, //haiku_spectral/benchmarks:compression \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:subject //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/benchmarks:coordinates_test, //haiku_spectral/benchmarks:coordinates \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:subject //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/benchmarks:data_test, //haiku_spectral/benchmarks:data \
    //haiku_spectral/benchmarks:settings //tests:__init__)
$(call py_test, //tests/benchmarks:processes_test, //haiku_spectral/benchmarks:processes \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:speed \
    //haiku_spectral/benchmarks:subject //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/benchmarks:quality_test, //haiku_spectral/benchmarks:quality \
    //haiku_spectral/benchmarks:settings //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/benchmarks:report_test, //haiku_spectral/benchmarks:decode \
    //haiku_spectral/benchmarks:plot //haiku_spectral/benchmarks:report //tests:__init__)
$(call py_test, //tests/benchmarks:speed_test, //haiku_spectral/benchmarks:settings \
    //haiku_spectral/benchmarks:speed //haiku_spectral/benchmarks:subject \
    //haiku_spectral/benchmarks:timing //haiku_spectral/modules:filters \
    //haiku_spectral/modules:spectral_gpt //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/benchmarks:step_worker_test, //haiku_spectral/benchmarks:step_worker \
    //tests:__init__)
$(call py_test, //tests/benchmarks:train_test, //haiku_spectral/benchmarks:settings \
    //haiku_spectral/benchmarks:step_worker //haiku_spectral/benchmarks:subject \
    //haiku_spectral/benchmarks:train //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/training:run_folder //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:agent_goals_test, //binaries:agent_goals \
    //haiku_spectral/agent:goals_report //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:sandbox //tests:__init__ //tests/agent:taught \
    //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:agent_horizon_test, //binaries:agent_horizon \
    //haiku_spectral/agent:horizon //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:sandbox //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:agent_sessions_test, //binaries:agent_sessions \
    //haiku_spectral/agent:transcript //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:sandbox //tests:__init__ //tests/agent:taught \
    //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:agent_test, //binaries:agent //haiku_spectral/agent:folder \
    //haiku_spectral/agent:sampler //haiku_spectral/config:__init__ \
    //haiku_spectral/sandbox:result //haiku_spectral/sandbox:sandbox \
    //haiku_spectral/training:checkpoint //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:benchmark_test, //binaries:benchmark //datasets:__init__ \
    //datasets:synthetic //haiku_spectral/benchmarks:decode //haiku_spectral/benchmarks:report \
    //haiku_spectral/benchmarks:settings //haiku_spectral/benchmarks:subject //tests:__init__ \
    //tests/decoding:tiny_model, //binaries:corpus_stage)
$(call py_test, //tests/binaries:command_line_test, //binaries:command_line //binaries:flag_types \
    //haiku_spectral/sandbox:result //tests:__init__)
$(call py_test, //tests/binaries:compression_test, //binaries:compress //binaries:decompress \
    //haiku_spectral/compression:compressed_file //haiku_spectral/compression:predictor \
    //haiku_spectral/config:__init__ //haiku_spectral/decoding:session \
    //haiku_spectral/evaluation:compressors //haiku_spectral/training:checkpoint //tests:__init__ \
    //tests/decoding:tiny_model //tests/decoding:toy_predictor //tests/evaluation:toy_models)
$(call py_test, //tests/binaries:corpus_stage_test, //binaries:corpus_stage \
    //haiku_spectral/config:__init__ //haiku_spectral/configs:tiny //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:demo_test, //binaries:demo //tests:__init__ \
    //tests:docs_links_test, //binaries:model_card //binaries:report //binaries:sample)
$(call py_test, //tests/binaries:distill_test, //binaries:distill //datasets:__init__ \
    //datasets:pipeline //haiku_spectral/distillation:comparison \
    //haiku_spectral/evaluation:streaming //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint //haiku_spectral/training:run_folder \
    //haiku_spectral:vocab //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:duel_test, //binaries:train //haiku_spectral/training:run_folder \
    //tests:__init__, //binaries:duel)
$(call py_test, //tests/binaries:eval_context_test, //binaries:eval_context //datasets:__init__ \
    //datasets:pipeline //haiku_spectral/config:__init__ //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint //tests:__init__ //tests/decoding:tiny_model \
    //tests/evaluation:toy_models)
$(call py_test, //tests/binaries:eval_extrapolation_test, //binaries:eval_extrapolation \
    //datasets:__init__ //datasets:pipeline //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/training:checkpoint //tests:__init__ \
    //tests/decoding:tiny_model //tests/evaluation:toy_models)
$(call py_test, //tests/binaries:evaluate_test, //binaries:evaluate \
    //haiku_spectral/config:__init__ //haiku_spectral/export:exported \
    //haiku_spectral/training:checkpoint //tests:__init__ //tests/decoding:tiny_model \
    //tests/evaluation/recall:paragraphs)
$(call py_test, //tests/binaries:export_test, //binaries:export //binaries:model_flags \
    //haiku_spectral/training:run_folder //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:extrapolation_report_test, //binaries:extrapolation_report \
    //datasets:__init__ //datasets:pipeline //haiku_spectral/config:__init__ //tests:__init__ \
    //tests/decoding:tiny_model //tests/evaluation:toy_models)
$(call py_test, //tests/binaries:flag_types_test, //binaries:flag_types //binaries:preset_flag \
    //tests:__init__)
$(call py_binary, //tests/binaries:lm_eval_contract, //binaries:evaluate_lm_eval \
    //binaries:scoring_process //tests:__init__)
$(call py_test, //tests/binaries:model_card_test, //binaries:model_card \
    //haiku_spectral/training:run_folder //tests:__init__ //tests/reporting:measured_run)
$(call py_test, //tests/binaries:model_flags_test, //binaries:model_flags \
    //haiku_spectral/config:__init__ //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:plan_scale_test, //tests:__init__, //binaries:plan_scale)
$(call py_test, //tests/binaries:prepare_data_test, //binaries:command_line \
    //binaries:prepare_data //datasets:__init__ //datasets:pipeline //datasets:registry \
    //datasets/streaming:collect //tests:__init__ //tests/datasets:corpora \
    //tests/datasets/streaming:small_corpus)
$(call py_test, //tests/binaries:programs_test, //tests:__init__)
$(call py_test, //tests/binaries:report_test, //binaries:data_sources //binaries:report \
    //haiku_spectral/config:__init__ //tests:__init__ //tests/datasets:corpora \
    //tests/reporting:measured_run)
$(call py_test, //tests/binaries:sample_test, //binaries:sample //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:session //haiku_spectral/training:checkpoint //haiku_spectral:vocab \
    //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:score_texts_test, //binaries:score_texts \
    //haiku_spectral/config:__init__ //haiku_spectral/evaluation:likelihood \
    //haiku_spectral/training:checkpoint //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/binaries:self_improve_kill_test, //haiku_spectral/tasks:verified_sample \
    //haiku_spectral/training:checkpoint //tests:__init__, //binaries:self_improve)
$(call py_test, //tests/binaries:self_improve_test, //binaries:self_improve \
    //haiku_spectral/sandbox:result //haiku_spectral/self_training:outcomes \
    //haiku_spectral/self_training:report //haiku_spectral/self_training:rounds //tests:__init__)
$(call py_test, //tests/binaries:serve_process_test, //tests:__init__ //tests/serving:running)
$(call py_test, //tests/binaries:serve_test, //binaries:serve //tests:__init__)
$(call py_test, //tests/binaries:site_pages_test, //binaries:site_pages //tests:__init__ \
    //tests:docs_pages)
$(call py_test, //tests/binaries:start_test, //tests:__init__, //binaries:prepare_data)
$(call py_test, //tests/binaries:text_sources_test, //binaries:text_sources //datasets:__init__ \
    //datasets:pipeline //tests:__init__)
$(call py_test, //tests/binaries:train_kill_test, //haiku_spectral/training:checkpoint \
    //tests:__init__, //binaries:prepare_data //binaries:train //haiku_spectral/configs:nano)
$(call py_test, //tests/binaries:train_test, //datasets:__init__ \
    //datasets/starter:starter_dataset_builder //tests:__init__ //tests/datasets:corpora, \
    //binaries:prepare_data //binaries:train //haiku_spectral/configs:curriculum_small \
    //haiku_spectral/configs:nano)
$(call py_test, //tests:build_test, //binaries:tidy //datasets:__init__ //tests:__init__ \
    //tests:small_repository)
$(call py_library, //tests:chunk_law, //tests:__init__ //tests:fixed_examples)
$(call py_test, //tests/compression:codec_test, //haiku_spectral/compression:codec \
    //haiku_spectral/compression:compressed_file //haiku_spectral/compression:predictor \
    //haiku_spectral/config:__init__ //haiku_spectral/decoding:session //haiku_spectral:vocab \
    //tests:__init__ //tests/decoding:tiny_model //tests/decoding:toy_predictor \
    //tests/evaluation:toy_models //tests:fixed_examples)
$(call py_test, //tests/config:config_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:base //haiku_spectral/configs:nano //haiku_spectral/configs:small \
    //haiku_spectral/configs:tiny //haiku_spectral/modules:spectral_gpt //tests:__init__)
$(call py_test, //tests/config:phases_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/configs:curriculum \
    //haiku_spectral/configs:curriculum_small //haiku_spectral/configs:nano //tests:__init__)
$(call py_test, //tests/config:sizes_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:presets //haiku_spectral/configs:sizes \
    //haiku_spectral/modules:spectral_gpt //tests:__init__)
$(call py_test, //tests/datasets/agent_transcripts:agent_transcripts_dataset_builder_test, \
    //datasets:__init__ //datasets/agent_transcripts:agent_transcripts_dataset_builder \
    //datasets:preparation //datasets:registry //datasets:windows //haiku_spectral/agent:document \
    //haiku_spectral/agent:goals //haiku_spectral/agent:teacher //haiku_spectral/agent:transcript \
    //haiku_spectral:vocab //tests:__init__)
$(call py_binary, //tests/datasets:beam_contract, //tests:__init__ \
    //tests/datasets/streaming:small_corpus)
$(call py_test, //tests/datasets/cleaning:contamination_test, //datasets:__init__ \
    //datasets/cleaning:contamination //tests:__init__ //tests/datasets:corpora \
    //tests:fixed_examples)
$(call py_test, //tests/datasets/cleaning:duplicates_test, //datasets:__init__ \
    //datasets/cleaning:duplicates //tests:__init__)
$(call py_test, //tests/datasets/cleaning:language_test, //datasets:__init__ \
    //datasets/cleaning:language //tests:__init__)
$(call py_test, //tests/datasets/cleaning:normalise_test, //datasets:__init__ \
    //datasets/cleaning:normalise //tests:__init__)
$(call py_test, //tests/datasets/cleaning:rules_test, //datasets:__init__ \
    //datasets/cleaning:contamination //datasets/cleaning:rules //tests:__init__ \
    //tests/datasets:corpora)
$(call py_test, //tests/datasets:contract_test, //datasets:__init__ //datasets:packed_builder \
    //datasets:packing //datasets:published //datasets:registry //tests:__init__ \
    //tests/datasets:corpora //tests/datasets:dummy_sources)
$(call py_library, //tests/datasets:corpora, //datasets:__init__ //datasets:preparation \
    //datasets/text_folder:text_folder_dataset_builder //tests:__init__)
$(call py_test, //tests/datasets:curriculum_test, //datasets:__init__ //datasets:curriculum \
    //haiku_spectral/config:__init__ //haiku_spectral/config:phases \
    //haiku_spectral/configs:curriculum //haiku_spectral/configs:curriculum_small \
    //haiku_spectral:vocab //tests:__init__ //tests/datasets:corpora \
    //tests/datasets:host_batches //tests:fixed_examples)
$(call py_binary, //tests/datasets:dummy_sources, //datasets:__init__ \
    //datasets/golden:golden_dataset_builder //datasets:splits \
    //haiku_spectral/tasks:verified_sample //tests:__init__ \
    //tests/datasets/readers:source_files)
$(call py_library, //tests/datasets:host_batches, //datasets:__init__ //datasets:pipeline \
    //tests:__init__)
$(call py_test, //tests/datasets:mixture_test, //datasets:__init__ //datasets:mixture \
    //tests:__init__ //tests:fixed_examples)
$(call py_test, //tests/datasets:packing_test, //datasets:__init__ //datasets:packing \
    //haiku_spectral/config:__init__ //haiku_spectral:vocab //tests:__init__ \
    //tests:fixed_examples)
$(call py_test, //tests/datasets:pipeline_test, //datasets:__init__ //datasets:packing \
    //datasets:pipeline //datasets:windows //haiku_spectral/config:__init__ \
    //haiku_spectral:vocab //tests:__init__ //tests/datasets:corpora \
    //tests/datasets:host_batches //tests:fixed_examples)
$(call py_test, //tests/datasets:prefetch_test, //datasets:__init__ //datasets:pipeline \
    //datasets:prefetch //tests:__init__)
$(call py_test, //tests/datasets:preparation_test, //datasets:__init__ //datasets:pipeline \
    //datasets:registry //haiku_spectral/storage:atomic_file //tests:__init__ \
    //tests/datasets:corpora)
$(call py_test, //tests/datasets:published_test, //datasets:__init__ \
    //datasets/enwik8:enwik8_dataset_builder //datasets/github_code:github_code_dataset_builder \
    //datasets/golden:golden_dataset_builder //datasets/readers:raw //datasets/readers:reader \
    //datasets/shakespeare_sonnets:shakespeare_sonnets_dataset_builder //datasets:splits \
    //datasets:streaming_builder //datasets/wikitext103:wikitext103_dataset_builder \
    //haiku_spectral/tasks:verified_sample //tests:__init__ //tests/datasets:corpora \
    //tests/datasets/readers:source_files)
$(call py_test, //tests/datasets/readers:reader_process_test, //datasets:__init__ \
    //datasets/readers:raw //datasets/readers:reader_process //tests:__init__ \
    //tests/datasets/readers:source_files)
$(call py_test, //tests/datasets/readers:reader_test, //datasets:__init__ //datasets/readers:raw \
    //datasets/readers:reader //datasets/readers:reader_process //tests:__init__ \
    //tests/datasets/readers:source_files //tests:fixed_examples)
$(call py_test, //tests/datasets/readers:rules_test, //datasets:__init__ \
    //datasets/readers:decompression //datasets/readers:raw //datasets/readers:reader \
    //tests:__init__ //tests/datasets/readers:source_files)
$(call py_library, //tests/datasets/readers:source_files, //tests:__init__)
$(call py_test, //tests/datasets:registry_test, //datasets:__init__ //datasets:registry \
    //datasets:windows //tests:__init__ //tests/datasets:corpora)
$(call py_test, //tests/datasets:splits_test, //datasets:__init__ //datasets:splits \
    //tests:__init__ //tests:fixed_examples)
$(call py_test, //tests/datasets/starter:starter_dataset_builder_test, //datasets:__init__ \
    //datasets:pipeline //datasets:preparation //datasets:registry //datasets:splits \
    //datasets/starter:starter_dataset_builder //tests:__init__)
$(call py_test, //tests/datasets/streaming:runners_test, //datasets:__init__ \
    //datasets/streaming:runners //tests:__init__)
$(call py_library, //tests/datasets/streaming:small_corpus, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:packed_builder //datasets:streaming_builder \
    //tests:__init__)
$(call py_test, //tests/datasets/streaming:spool_test, //datasets:__init__ \
    //datasets/streaming:spool //tests:__init__ //tests/datasets:corpora //tests:fixed_examples)
$(call py_test, //tests/datasets/streaming:work_units_test, //datasets:__init__ \
    //datasets/cleaning:rules //datasets/streaming:work_units //tests:__init__)
$(call py_test, //tests/datasets:streaming_builder_kill_test, //datasets:__init__ \
    //datasets:streaming_builder //haiku_spectral/storage:atomic_file //tests:__init__ \
    //tests/datasets:corpora //tests/datasets/streaming:small_corpus)
$(call py_test, //tests/datasets:streaming_builder_test, //datasets:__init__ \
    //datasets/cleaning:rules //datasets:packed_builder //datasets:packing //datasets:splits \
    //datasets/streaming:collect //datasets:streaming_builder //tests:__init__ \
    //tests/datasets:corpora //tests/datasets/streaming:small_corpus)
$(call py_test, //tests/datasets:synthetic_test, //datasets:__init__ //datasets/readers:reader \
    //datasets:synthetic //tests:__init__)
$(call py_test, //tests/datasets:text_files_test, //datasets:__init__ //datasets:text_files \
    //haiku_spectral/storage:file_name //tests:__init__ //tests/datasets:corpora \
    //tests:fixed_examples)
$(call py_test, //tests/datasets/text_folder:text_folder_dataset_builder_test, \
    //datasets:__init__ //datasets:packed_builder //datasets:packing //datasets:pipeline \
    //datasets:registry //datasets/text_folder:text_folder_dataset_builder //datasets:windows \
    //tests:__init__ //tests/datasets:corpora)
$(call py_binary, //tests/datasets:tfds_contract, //datasets:__init__ //datasets:registry \
    //tests:__init__)
$(call py_test, //tests/datasets:windows_test, //datasets:__init__ //datasets:packing \
    //datasets:windows //haiku_spectral:vocab //tests:__init__)
$(call py_test, //tests/decoding:candidates_test, //haiku_spectral/decoding:candidates \
    //haiku_spectral:vocab //tests:__init__)
$(call py_test, //tests/decoding:chat_test, //haiku_spectral/decoding:chat \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:session //haiku_spectral:vocab //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/decoding:constraint_test, //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:constraint //haiku_spectral/decoding:regex_compiler \
    //haiku_spectral:vocab //tests:__init__ //tests:fixed_examples)
$(call py_test, //tests/decoding:decoder_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:prefill //haiku_spectral/modules:decode_cache \
    //haiku_spectral/modules:precision //haiku_spectral:vocab //tests:__init__ //tests:chunk_law \
    //tests/decoding:tiny_model //tests:fixed_examples //tests/modules:random_params)
$(call py_test, //tests/decoding:display_test, //haiku_spectral/decoding:display \
    //tests:__init__)
$(call py_test, //tests/decoding:generation_test, //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:generation //haiku_spectral/decoding:one_by_one \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling //haiku_spectral:vocab \
    //tests:__init__ //tests:chunk_law //tests/decoding:tiny_model)
$(call py_test, //tests/decoding:prefill_test, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:prefill //haiku_spectral:vocab //tests:__init__ \
    //tests/decoding:tiny_model //tests/evaluation:toy_models //tests:fixed_examples)
$(call py_test, //tests/decoding:prompt_lookup_test, //haiku_spectral/decoding:prompt_lookup \
    //tests:__init__)
$(call py_test, //tests/decoding:prompt_test, //haiku_spectral/decoding:prompt //tests:__init__)
$(call py_test, //tests/decoding:sampling_test, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:sampling //haiku_spectral:vocab //tests:__init__ \
    //tests:fixed_examples)
$(call py_test, //tests/decoding:scheduler_test, //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:loop //haiku_spectral/decoding:one_by_one \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:row \
    //haiku_spectral/decoding:sampling //haiku_spectral/decoding:scheduler \
    //haiku_spectral/decoding:speculation //haiku_spectral:vocab //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/decoding:session_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling \
    //haiku_spectral/decoding:session //haiku_spectral/decoding:session_file \
    //haiku_spectral/modules:precision //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab //tests:__init__ //tests/decoding:tiny_model //tests:fixed_examples)
$(call py_test, //tests/decoding:speculation_test, //haiku_spectral/decoding:automaton \
    //haiku_spectral/decoding:decoder //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:one_by_one //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:sampling //haiku_spectral/decoding:speculation \
    //haiku_spectral:vocab //tests:__init__ //tests:chunk_law //tests/decoding:tiny_model \
    //tests/modules:random_params)
$(call py_test, //tests/decoding:stopping_test, //haiku_spectral/decoding:stopping \
    //tests:__init__ //tests:fixed_examples)
$(call py_library, //tests/decoding:tiny_model, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:decoder //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint_store //haiku_spectral/training:run_folder \
    //tests:__init__ //tests/modules:random_params)
$(call py_library, //tests/decoding:toy_predictor, //tests:__init__)
$(call py_test, //tests/decoding:typed_lines_test, //tests:__init__)
$(call py_test, //tests:device_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:prefill //haiku_spectral/modules:mixers \
    //haiku_spectral/modules:precision //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/ops:fft_conv //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:checkpoint //haiku_spectral/training:gradients \
    //haiku_spectral/training:leaves //haiku_spectral/training:loop \
    //haiku_spectral/training:state //haiku_spectral/training:step //haiku_spectral/training:task \
    //tests:__init__ //tests:chunk_law)
$(call py_test, //tests/distillation:distill_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/distillation:distill //haiku_spectral/distillation:filter_errors \
    //haiku_spectral/modules:filters //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint //haiku_spectral/training:run_folder \
    //haiku_spectral/training:state //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/distillation:modal_fit_test, //haiku_spectral/distillation:modal_fit \
    //tests:__init__)
$(call py_test, //tests:docs_links_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/self_training:settings //tests:__init__ //tests:docs_pages)
$(call py_library, //tests:docs_pages, //tests:__init__)
$(call py_test, //tests:docs_test, //tests:__init__ //tests:docs_pages)
$(call py_test, //tests/evaluation:bootstrap_test, //haiku_spectral/evaluation:bootstrap \
    //tests:__init__)
$(call py_test, //tests/evaluation:code_length_test, //haiku_spectral/evaluation:code_length \
    //haiku_spectral/evaluation:compressors //haiku_spectral:vocab //tests:__init__ \
    //tests/evaluation:toy_models)
$(call py_test, //tests/evaluation:compressors_test, //haiku_spectral/evaluation:compressors \
    //tests:__init__)
$(call py_test, //tests/evaluation:context_length_test, //haiku_spectral/evaluation:compressors \
    //haiku_spectral/evaluation:context_length //haiku_spectral/evaluation:context_plot \
    //haiku_spectral/evaluation:context_report //haiku_spectral:vocab //tests:__init__ \
    //tests/evaluation:toy_models)
$(call py_test, //tests/evaluation:duel_test, //haiku_spectral/evaluation:duel \
    //haiku_spectral:vocab //tests:__init__ //tests/evaluation:toy_models)
$(call py_test, //tests/evaluation:extrapolation_test, //haiku_spectral/evaluation:extrapolation \
    //haiku_spectral/evaluation:plan //haiku_spectral:vocab //tests:__init__ \
    //tests/evaluation:toy_models)
$(call py_test, //tests/evaluation:likelihood_test, //haiku_spectral/evaluation:likelihood \
    //haiku_spectral:vocab //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/evaluation/minimal_pairs:scoring_test, \
    //haiku_spectral/evaluation/minimal_pairs:pair //haiku_spectral/evaluation/minimal_pairs:plot \
    //haiku_spectral/evaluation/minimal_pairs:report \
    //haiku_spectral/evaluation/minimal_pairs:scoring \
    //haiku_spectral/evaluation/minimal_pairs:turblimp //haiku_spectral/evaluation:plot \
    //tests:__init__)
$(call py_test, //tests/evaluation:ngram_test, //haiku_spectral/evaluation:ngram //tests:__init__ \
    //tests:fixed_examples)
$(call py_test, //tests/evaluation:plan_test, //haiku_spectral/evaluation:plan //tests:__init__ \
    //tests/evaluation:toy_models //tests:fixed_examples)
$(call py_test, //tests/evaluation/recall:background_test, \
    //haiku_spectral/evaluation/recall:background //tests:__init__ \
    //tests/evaluation/recall:paragraphs //tests:fixed_examples)
$(call py_test, //tests/evaluation/recall:example_test, \
    //haiku_spectral/evaluation/recall:background //haiku_spectral/evaluation/recall:example \
    //haiku_spectral/evaluation/recall:tasks //haiku_spectral:vocab //tests:__init__ \
    //tests/evaluation/recall:paragraphs //tests:fixed_examples)
$(call py_library, //tests/evaluation/recall:paragraphs, \
    //haiku_spectral/evaluation/recall:background //tests:__init__)
$(call py_test, //tests/evaluation/recall:report_test, //haiku_spectral/evaluation:plot \
    //haiku_spectral/evaluation/recall:plot //haiku_spectral/evaluation/recall:report \
    //haiku_spectral/evaluation/recall:scoring //tests:__init__)
$(call py_test, //tests/evaluation/recall:scoring_test, \
    //haiku_spectral/evaluation/recall:example //haiku_spectral/evaluation/recall:scoring \
    //haiku_spectral/evaluation/recall:tasks //tests:__init__ \
    //tests/evaluation/recall:paragraphs //tests/evaluation:toy_models)
$(call py_test, //tests/evaluation/recall:training_text_test, \
    //haiku_spectral/evaluation/recall:example //haiku_spectral/evaluation/recall:tasks \
    //haiku_spectral/evaluation/recall:training_text //tests:__init__ \
    //tests/evaluation/recall:paragraphs)
$(call py_test, //tests/evaluation:report_test, //haiku_spectral/evaluation:bootstrap \
    //haiku_spectral/evaluation:plot //haiku_spectral/evaluation:report //tests:__init__)
$(call py_test, //tests/evaluation:short_texts_test, //haiku_spectral/evaluation:long_ngram \
    //haiku_spectral/evaluation:ngram //haiku_spectral/evaluation:short_texts \
    //haiku_spectral/evaluation:streaming //haiku_spectral:vocab //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/evaluation:streaming_test, //haiku_spectral/evaluation:streaming \
    //haiku_spectral:vocab //tests:__init__ //tests/evaluation:toy_models //tests:fixed_examples)
$(call py_library, //tests/evaluation:toy_models, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral:vocab //tests:__init__)
$(call py_test, //tests/export:exported_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/export:exported //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/export:numpy_loader_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:base //haiku_spectral/configs:curriculum \
    //haiku_spectral/configs:nano //haiku_spectral/configs:small //haiku_spectral/configs:tiny \
    //haiku_spectral/export:exported //haiku_spectral/export:numpy_loader \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral:vocab //tests:__init__ \
    //tests/modules:random_params)
$(call py_library, //tests:fixed_examples, //tests:__init__)
$(call py_test, //tests:lint_test, //tests:__init__)
$(call py_test, //tests:make_test, //tests:__init__ //tests:small_repository)
$(call py_test, //tests/modules:count_memory_test, //haiku_spectral/modules:count_memory \
    //haiku_spectral/ops:count_memory //tests:__init__)
$(call py_test, //tests/modules:filters_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:filters //tests:__init__ //tests:chunk_law)
$(call py_test, //tests/modules:mixers_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:attention //haiku_spectral/modules:hyena \
    //haiku_spectral/modules:memory //haiku_spectral/modules:precision //tests:__init__ \
    //tests:chunk_law)
$(call py_library, //tests/modules:moving_average, //haiku_spectral/modules:mixer \
    //tests:__init__)
$(call py_test, //tests/modules:new_mixer_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/decoding:context //haiku_spectral/decoding:decoder \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:session \
    //haiku_spectral/modules:mixer //haiku_spectral/modules:mixers \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:gradients //haiku_spectral/training:state \
    //haiku_spectral/training:step //tests:__init__ //tests:chunk_law \
    //tests/modules:moving_average)
$(call py_test, //tests/modules:ngram_memory_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:ngram_memory //haiku_spectral/ops:ngram_memory //tests:__init__)
$(call py_library, //tests/modules:random_params, //haiku_spectral/modules:spectral_gpt \
    //tests:__init__)
$(call py_test, //tests/modules:spectral_gpt_test, //haiku_spectral:backend \
    //haiku_spectral/config:__init__ //haiku_spectral/configs:nano \
    //haiku_spectral/modules:filters //haiku_spectral/modules:precision \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral:vocab //tests:__init__ \
    //tests:chunk_law //tests/modules:random_params)
$(call py_test, //tests/ops:cache_test, //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:fft_conv //haiku_spectral/ops:linear_memory \
    //haiku_spectral/ops:memory_cache //haiku_spectral/ops:window_attention \
    //haiku_spectral/ops:window_cache //tests:__init__ //tests:chunk_law //tests:fixed_examples)
$(call py_test, //tests/ops:count_memory_test, //haiku_spectral/ops:count_cache \
    //haiku_spectral/ops:count_memory //haiku_spectral/ops:ngram_contexts //tests:__init__ \
    //tests:chunk_law //tests:fixed_examples //tests/ops:memory_law //tests/ops:repeating_text)
$(call py_test, //tests/ops:crossing_test, //haiku_spectral/ops:conv_crossing \
    //haiku_spectral/ops:fft_conv //haiku_spectral/ops:hashed_table \
    //haiku_spectral/ops:linear_memory //haiku_spectral/ops:memory_crossing \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_crossing \
    //haiku_spectral/ops:ngram_memory //haiku_spectral/ops:slices \
    //haiku_spectral/ops:window_attention //haiku_spectral/ops:window_crossing //tests:__init__ \
    //tests:chunk_law)
$(call py_test, //tests/ops:dense_test, //haiku_spectral:backend //haiku_spectral/ops:dense \
    //tests:__init__ //tests:chunk_law)
$(call py_test, //tests/ops:fft_conv_test, //haiku_spectral/ops:fft_conv //tests:__init__ \
    //tests:chunk_law)
$(call py_test, //tests/ops:linear_memory_test, //haiku_spectral/ops:linear_memory \
    //tests:__init__ //tests:chunk_law)
$(call py_test, //tests/ops:lookup_test, //haiku_spectral:backend //haiku_spectral/ops:lookup \
    //tests:__init__ //tests:chunk_law)
$(call py_test, //tests/ops:match_memory_test, //haiku_spectral/ops:match_cache \
    //haiku_spectral/ops:match_memory //haiku_spectral/ops:ngram_contexts //tests:__init__ \
    //tests:chunk_law //tests:fixed_examples //tests/ops:memory_law //tests/ops:repeating_text)
$(call py_library, //tests/ops:memory_law, //haiku_spectral/ops:block_lines \
    //haiku_spectral/ops:conv_cache //tests:__init__)
$(call py_test, //tests/ops:ngram_memory_test, //haiku_spectral/ops:ngram_cache \
    //haiku_spectral/ops:ngram_contexts //haiku_spectral/ops:ngram_memory //haiku_spectral:vocab \
    //tests:__init__ //tests:chunk_law //tests:fixed_examples //tests/ops:memory_law \
    //tests/ops:repeating_text)
$(call py_test, //tests/ops:online_head_test, //haiku_spectral/ops:conv_cache \
    //haiku_spectral/ops:head_cache //haiku_spectral/ops:online_head //tests:__init__ \
    //tests:chunk_law //tests:fixed_examples //tests/ops:memory_law)
$(call py_library, //tests/ops:repeating_text, //haiku_spectral:vocab //tests:__init__)
$(call py_test, //tests/ops:toeplitz_conv_test, //haiku_spectral:backend \
    //haiku_spectral/ops:fft_conv //haiku_spectral/ops:toeplitz_conv //tests:__init__ \
    //tests:chunk_law)
$(call py_test, //tests/ops:window_attention_test, //haiku_spectral/ops:rotary \
    //haiku_spectral/ops:window_attention //tests:__init__ //tests:chunk_law)
$(call py_library, //tests/parallel:hlo, //tests:__init__)
$(call py_test, //tests/parallel:hosts_test, //haiku_spectral/parallel:hosts \
    //haiku_spectral/parallel:mesh //tests:__init__)
$(call py_test, //tests/parallel:loss_curves_test, //tests:__init__ //tests/parallel:meshed)
$(call py_test, //tests/parallel:memory_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/configs:base //haiku_spectral/configs:nano \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:gradients //haiku_spectral/training:state \
    //haiku_spectral/training:step //tests:__init__ //tests/parallel:meshed)
$(call py_test, //tests/parallel:mesh_test, //haiku_spectral/parallel:mesh //tests:__init__)
$(call py_library, //tests/parallel:meshed, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:mixers //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:mesh //haiku_spectral/training:gradients \
    //haiku_spectral/training:state //haiku_spectral/training:step //tests:__init__ \
    //tests/modules:moving_average //tests/training:stand_in)
$(call py_test, //tests/parallel:program_test, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/ops:fft_conv //haiku_spectral/parallel:mesh \
    //haiku_spectral/parallel:traffic //haiku_spectral/training:step //tests:__init__ \
    //tests/parallel:hlo //tests/parallel:meshed)
$(call py_test, //tests/parallel:sharding_test, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:mesh //haiku_spectral/parallel:sharding \
    //haiku_spectral/training:gradients //haiku_spectral/training:state //tests:__init__ \
    //tests/parallel:meshed)
$(call py_test, //tests/planning:plan_test, //haiku_spectral/benchmarks:device_step \
    //haiku_spectral/config:__init__ //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/parallel:hardware //haiku_spectral/parallel:mesh \
    //haiku_spectral/planning:aot //haiku_spectral/planning:memory //haiku_spectral/planning:plan \
    //haiku_spectral/planning:roofline //haiku_spectral/planning:text \
    //haiku_spectral/training:state //haiku_spectral/training:step //tests:__init__)
$(call py_test, //tests/reporting:card_test, //haiku_spectral/evaluation:report \
    //haiku_spectral/reporting:card //haiku_spectral/reporting:citation \
    //haiku_spectral/reporting:measurements //haiku_spectral/reporting:provenance \
    //haiku_spectral/reporting:results //haiku_spectral/training:run_folder //tests:__init__ \
    //tests/decoding:tiny_model //tests:docs_pages //tests/reporting:measured_run)
$(call py_test, //tests/reporting:chart_test, //haiku_spectral/reporting:axis \
    //haiku_spectral/reporting:chart //haiku_spectral/reporting:document //tests:__init__ \
    //tests:fixed_examples)
$(call py_library, //tests/reporting:measured_run, //haiku_spectral/config:__init__ \
    //haiku_spectral/evaluation:bootstrap //haiku_spectral/evaluation:code_length \
    //haiku_spectral/evaluation:context_report //haiku_spectral/evaluation/minimal_pairs:report \
    //haiku_spectral/evaluation/minimal_pairs:scoring //haiku_spectral/evaluation/recall:report \
    //haiku_spectral/evaluation/recall:scoring //haiku_spectral/evaluation:report \
    //haiku_spectral/reporting:results //haiku_spectral/training:run_folder //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/reporting:report_test, //haiku_spectral/reporting:document \
    //haiku_spectral/reporting:html //haiku_spectral/reporting:markdown \
    //haiku_spectral/reporting:report //haiku_spectral/reporting:results //tests:__init__ \
    //tests/reporting:measured_run)
$(call py_test, //tests:requirement_test, //haiku_spectral:requirement //tests:__init__)
$(call py_library, //tests/sandbox/attacks:files, //tests:__init__)
$(call py_library, //tests/sandbox/attacks:network, //tests:__init__)
$(call py_library, //tests/sandbox/attacks:pool, //tests:__init__, \
    //haiku_spectral/sandbox:literals)
$(call py_library, //tests/sandbox/attacks:privileges, //tests:__init__)
$(call py_library, //tests/sandbox/attacks:processes, //tests:__init__)
$(call py_library, //tests/sandbox/attacks:resources, //tests:__init__)
$(call py_library, //tests/sandbox/attacks:traces, //tests:__init__)
$(call py_library, //tests/sandbox/attacks:values, //tests:__init__)
$(call py_test, //tests/sandbox:attacks_test, //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:sandbox //tests:__init__ //tests/sandbox/attacks:files \
    //tests/sandbox/attacks:network //tests/sandbox/attacks:pool \
    //tests/sandbox/attacks:privileges //tests/sandbox/attacks:processes \
    //tests/sandbox/attacks:resources //tests/sandbox/attacks:traces \
    //tests/sandbox/attacks:values //tests/sandbox:canaries)
$(call py_library, //tests/sandbox:canaries, //haiku_spectral/sandbox:runtime \
    //haiku_spectral/sandbox:seccomp_filter //tests:__init__)
$(call py_test, //tests/sandbox:literals_test, //haiku_spectral/sandbox:literals \
    //tests:__init__)
$(call py_test, //tests/sandbox:ordinary_user_test, //haiku_spectral/sandbox:runtime \
    //tests:__init__, //tests/sandbox:attacks_test)
$(call py_test, //tests/sandbox:sandbox_test, //haiku_spectral/sandbox:bubblewrap \
    //haiku_spectral/sandbox:interpreter //haiku_spectral/sandbox:landlock \
    //haiku_spectral/sandbox:result //haiku_spectral/sandbox:runtime \
    //haiku_spectral/sandbox:sandbox //haiku_spectral/sandbox:seccomp_filter \
    //haiku_spectral/sandbox:selftest //haiku_spectral/sandbox:worker //tests:__init__ \
    //tests/sandbox:canaries)
$(call py_test, //tests/sandbox:selftest_test, //haiku_spectral/sandbox:bubblewrap \
    //haiku_spectral/sandbox:interpreter //haiku_spectral/sandbox:landlock \
    //haiku_spectral/sandbox:landlock_rules //haiku_spectral/sandbox:result \
    //haiku_spectral/sandbox:runtime //haiku_spectral/sandbox:sandbox \
    //haiku_spectral/sandbox:seccomp_filter //tests:__init__)
$(call py_test, //tests/self_training:acceptance_filter_test, \
    //haiku_spectral/self_training:acceptance_filter //haiku_spectral/tasks:registry \
    //haiku_spectral/tasks:verified_sample //tests:__init__ //tests/self_training:stand_ins)
$(call py_test, //tests/self_training:agreement_test, //haiku_spectral/self_training:agreement \
    //haiku_spectral/tasks:verified_sample //tests:__init__ //tests/self_training:stand_ins)
$(call py_test, //tests/self_training:frontier_test, //haiku_spectral/self_training:frontier \
    //tests:__init__)
$(call py_test, //tests/self_training:report_test, //haiku_spectral/self_training:claim \
    //haiku_spectral/self_training:evaluation //haiku_spectral/self_training:outcomes \
    //haiku_spectral/self_training:report //tests:__init__ //tests/self_training:stand_ins)
$(call py_test, //tests/self_training:rounds_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/self_training:callbacks \
    //haiku_spectral/self_training:curriculum //haiku_spectral/self_training:evaluation \
    //haiku_spectral/self_training:frontier //haiku_spectral/self_training:outcomes \
    //haiku_spectral/self_training:paths //haiku_spectral/self_training:report \
    //haiku_spectral/self_training:rounds //haiku_spectral/self_training:sampler \
    //haiku_spectral/self_training:seed_run //haiku_spectral/self_training:settings \
    //haiku_spectral/self_training:verifier_cache //haiku_spectral/tasks:registry \
    //haiku_spectral/tasks:verified_sample //haiku_spectral/training:checkpoint_store \
    //haiku_spectral/training:run_folder //tests:__init__ //tests/decoding:tiny_model \
    //tests/self_training:stand_ins)
$(call py_test, //tests/self_training:sampler_test, //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:prefill //haiku_spectral/decoding:sampling \
    //haiku_spectral/self_training:sampler //haiku_spectral:vocab //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/self_training:settings_test, //haiku_spectral/self_training:settings \
    //haiku_spectral/tasks:registry //tests:__init__)
$(call py_library, //tests/self_training:stand_ins, //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:problem //tests:__init__)
$(call py_test, //tests/self_training:verifier_cache_test, //haiku_spectral/sandbox:result \
    //haiku_spectral/self_training:verifier_cache //haiku_spectral/tasks:verified_sample \
    //tests:__init__ //tests/self_training:stand_ins)
$(call py_test, //tests/serving:completions_test, //haiku_spectral/decoding:generation \
    //haiku_spectral/decoding:loop //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:sampling //haiku_spectral:vocab //tests:__init__ \
    //tests/decoding:tiny_model //tests/serving:server)
$(call py_test, //tests/serving:load_test, //tests:__init__ //tests/serving:running)
$(call py_binary, //tests/serving:long_session, //tests:__init__ //tests/serving:running)
$(call py_binary, //tests/serving:openai_contract, //tests:__init__ //tests/serving:running)
$(call py_binary, //tests/serving:page_contract, //tests:__init__ //tests/serving:running)
$(call py_test, //tests/serving:recall_test, //haiku_spectral/serving:recall //tests:__init__)
$(call py_library, //tests/serving:running, //tests:__init__)
$(call py_library, //tests/serving:server, //haiku_spectral/decoding:session \
    //haiku_spectral/serving:app //haiku_spectral/serving:service //tests:__init__ \
    //tests/decoding:tiny_model)
$(call py_test, //tests/serving:sessions_test, //haiku_spectral/decoding:context \
    //haiku_spectral/decoding:generation //haiku_spectral/decoding:prefill \
    //haiku_spectral/decoding:sampling //haiku_spectral/decoding:session \
    //haiku_spectral/serving:app //haiku_spectral/serving:sessions //haiku_spectral/serving:turns \
    //haiku_spectral:vocab //tests:__init__ //tests/decoding:tiny_model //tests/serving:server)
$(call py_binary, //tests/serving:tiny_run, //haiku_spectral/config:__init__ \
    //haiku_spectral/training:metrics //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests/serving:watch_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/serving:watch //haiku_spectral/training:run_folder //tests:__init__)
$(call py_test, //tests:shutdown_test, //haiku_spectral:shutdown //tests:__init__)
$(call py_library, //tests:small_repository, //binaries:tidy //tests:__init__)
$(call py_test, //tests/storage:append_log_test, //haiku_spectral/storage:append_log \
    //tests:__init__)
$(call py_test, //tests/storage:atomic_file_test, //haiku_spectral/storage:atomic_file \
    //tests:__init__)
$(call py_test, //tests/storage:file_lock_test, //haiku_spectral/storage:file_lock \
    //tests:__init__)
$(call py_test, //tests/storage:file_name_test, //haiku_spectral/storage:file_name \
    //tests:__init__)
$(call py_test, //tests/storage:strict_json_test, //haiku_spectral/storage:strict_json \
    //tests:__init__)
$(call py_test, //tests/tasks:arithmetic_test, //haiku_spectral/tasks:arithmetic \
    //haiku_spectral/tasks:column_addition //haiku_spectral/tasks:named_columns //tests:__init__ \
    //tests:fixed_examples //tests/tasks:trusted)
$(call py_test, //tests/tasks:expressions_test, //haiku_spectral/tasks:expressions \
    //haiku_spectral/tasks:functions //tests:__init__)
$(call py_test, //tests/tasks:families_test, //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:problem //haiku_spectral/tasks:registry //tests:__init__ \
    //tests/tasks:trusted)
$(call py_test, //tests/tasks:functions_test, //haiku_spectral/sandbox:result \
    //haiku_spectral/tasks:functions //haiku_spectral/tasks:problem //tests:__init__ \
    //tests:fixed_examples //tests/tasks:trusted)
$(call py_test, //tests/tasks:problem_test, //haiku_spectral/tasks:problem //tests:__init__ \
    //tests:fixed_examples //tests/tasks:trusted)
$(call py_test, //tests/tasks:sandboxed_test, //haiku_spectral/sandbox:sandbox \
    //haiku_spectral/tasks:registry //tests:__init__)
$(call py_library, //tests/tasks:trusted, //haiku_spectral/sandbox:result //tests:__init__)
$(call py_test, //tests/tasks:turkish_pairs_test, //haiku_spectral/tasks:turkish_lexicon \
    //haiku_spectral/tasks:turkish_pairs //haiku_spectral/tasks:turkish_stems //tests:__init__)
$(call py_test, //tests/tasks:turkish_suffixes_test, //haiku_spectral/tasks:turkish_operators \
    //haiku_spectral/tasks:turkish_stems //haiku_spectral/tasks:turkish_suffixes //tests:__init__ \
    //tests:fixed_examples //tests/tasks:trusted)
$(call py_test, //tests/training:checkpoint_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/training:checkpoint //haiku_spectral/training:checkpoint_store \
    //haiku_spectral/training:leaves //haiku_spectral/training:run_folder //tests:__init__)
$(call py_test, //tests/training:gradients_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:gradients //haiku_spectral/training:loss //haiku_spectral:vocab \
    //tests:__init__ //tests/modules:random_params //tests/training:stand_in)
$(call py_test, //tests/training:guards_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/training:guards //tests:__init__)
$(call py_test, //tests/training:hosts_slow_test, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:loop //haiku_spectral/training:metrics \
    //haiku_spectral/training:run_folder //tests:__init__ //tests/parallel:meshed \
    //tests/training:processes //tests/training:stand_in)
$(call py_test, //tests/training:hosts_test, //haiku_spectral/training:checkpoint \
    //haiku_spectral/training:loop //haiku_spectral/training:metrics \
    //haiku_spectral/training:run_folder //tests:__init__ //tests/training:processes \
    //tests/training:stand_in)
$(call py_test, //tests/training:kill_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/training:checkpoint \
    //haiku_spectral/training:leaves //haiku_spectral/training:loop \
    //haiku_spectral/training:metrics //tests:__init__ //tests/training:stand_in)
$(call py_test, //tests/training:loop_test, //haiku_spectral/parallel:mesh \
    //haiku_spectral:shutdown //haiku_spectral/training:checkpoint \
    //haiku_spectral/training:guards //haiku_spectral/training:leaves \
    //haiku_spectral/training:loop //haiku_spectral/training:metrics \
    //haiku_spectral/training:run_folder //haiku_spectral/training:task //tests:__init__ \
    //tests/training:stand_in)
$(call py_test, //tests/training:loss_test, //haiku_spectral/training:loss //haiku_spectral:vocab \
    //tests:__init__)
$(call py_test, //tests/training:metrics_test, //haiku_spectral/training:metrics \
    //haiku_spectral/training:progress //haiku_spectral/training:run_folder //tests:__init__)
$(call py_test, //tests/training:optimizer_test, //haiku_spectral/training:optimizer \
    //tests:__init__ //tests/training:stand_in)
$(call py_library, //tests/training:processes, //haiku_spectral/parallel:hosts \
    //haiku_spectral/parallel:mesh //haiku_spectral:shutdown //haiku_spectral/training:loop \
    //tests:__init__ //tests/training:stand_in)
$(call py_test, //tests/training:remesh_test, //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:checkpoint //haiku_spectral/training:checkpoint_store \
    //haiku_spectral/training:leaves //haiku_spectral/training:state //tests:__init__ \
    //tests/parallel:meshed)
$(call py_test, //tests/training:run_folder_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/training:run_folder //tests:__init__)
$(call py_test, //tests/training:speed_test, //haiku_spectral/parallel:hardware \
    //haiku_spectral/parallel:mesh //haiku_spectral/training:loop \
    //haiku_spectral/training:metrics //haiku_spectral/training:speed //tests:__init__ \
    //tests/training:stand_in)
$(call py_library, //tests/training:stand_in, //haiku_spectral/config:__init__ \
    //haiku_spectral/config:phases //haiku_spectral/modules:spectral_gpt \
    //haiku_spectral/training:speed //haiku_spectral/training:state \
    //haiku_spectral/training:task //haiku_spectral:vocab //tests:__init__)
$(call py_test, //tests/training:step_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:precision //haiku_spectral/parallel:mesh \
    //haiku_spectral/training:gradients //haiku_spectral/training:heldout \
    //haiku_spectral/training:leaves //haiku_spectral/training:loss \
    //haiku_spectral/training:loss_scale //haiku_spectral/training:state \
    //haiku_spectral/training:step //tests:__init__ //tests/training:stand_in)
$(call py_test, //tests/training:time_budget_test, //haiku_spectral/training:time_budget \
    //tests:__init__ //tests/training:stand_in)
$(call py_test, //tests/training:width_scaling_test, //haiku_spectral/config:__init__ \
    //haiku_spectral/modules:spectral_gpt //haiku_spectral/training:optimizer \
    //haiku_spectral/training:width_scaling //tests:__init__ //tests/decoding:tiny_model)
$(call py_test, //tests:vocab_test, //haiku_spectral:vocab //tests:__init__ \
    //tests:fixed_examples)
