using System.Collections.Frozen;
using System.Reflection;
using Lorikeet.Formats;

namespace Lorikeet.Training;

/// <summary>What to say about a key that recipes do not have: the name of the same thing here, the right section, or the nearest name.</summary>
internal static class ForeignKeys
{
    // how axolotl, LLaMA-Factory, litgpt, mlx-lm, torchtune, transformers, TRL and unsloth spell what has a place here
    private static readonly FrozenDictionary<string, string> Ours = new Dictionary<string, string[]>
    {
        ["model"] = ["base_model", "model_name_or_path", "model_name", "model_id", "pretrained_model_name_or_path", "checkpoint_dir", "model_path"],
        ["model.tokenizer"] = ["tokenizer_name_or_path", "tokenizer_config", "tokenizer_path"],
        ["model.chat_template"] = ["chat_template_jinja", "chat_template_path"],
        ["model.quantize"] = ["bnb_4bit_quant_type", "bnb_4bit_use_double_quant", "quantization_bit", "quantization_method"],
        ["adapter.method"] = ["peft_type", "finetuning_type", "fine_tune_type", "train_type", "use_peft"],
        ["adapter.r"] = ["lora_r", "lora_rank", "rank"],
        ["adapter.lora_alpha"] = ["lora_alpha"],
        ["adapter.lora_dropout"] = ["lora_dropout"],
        ["adapter.target_modules"] = ["lora_target", "lora_target_modules", "lora_target_linear", "target_modules"],
        ["adapter.modules_to_save"] = ["additional_target", "lora_modules_to_save", "modules_to_save"],
        ["adapter.use_rslora"] = ["use_rslora", "peft_use_rslora"],
        ["data.train"] = ["dataset", "datasets", "train_file", "train_files", "train_data", "dataset_name", "dataset_path", "data_path", "train_dataset"],
        ["data.eval"] = ["eval_dataset", "test_datasets", "validation_file", "valid", "validation", "valid_data", "test_file", "eval_data"],
        ["data.eval_fraction"] = ["val_set_size", "val_size", "validation_split", "test_size", "eval_split", "val_split_fraction", "validation_split_percentage"],
        ["data.max_length"] = ["max_seq_length", "sequence_len", "cutoff_len", "max_seq_len", "block_size", "model_max_length", "seq_length"],
        ["data.truncation"] = ["truncation_mode", "excess_length_strategy", "truncation_side"],
        ["data.packing"] = ["packing_strategy", "sample_packing", "neat_packing", "pack", "packed"],
        ["data.loss_on"] =
        [
            "completion_only_loss", "assistant_only_loss", "train_on_inputs", "train_on_input", "train_on_prompt", "mask_prompt", "train_on_completions",
            "roles_to_train", "mask_inputs", "train_on_eos",
        ],
        ["data.order"] = ["group_by_length", "shuffle", "shuffle_dataset", "train_sampling_strategy", "disable_shuffling"],
        ["training.epochs"] = ["num_train_epochs", "num_epochs", "max_epochs", "n_epochs"],
        ["training.steps"] = ["max_steps", "iters", "num_steps", "max_iters", "num_iters", "max_steps_per_epoch", "total_steps"],
        ["training.batch_size"] = ["per_device_train_batch_size", "micro_batch_size", "train_batch_size", "batchsize", "global_batch_size"],
        ["training.gradient_accumulation_steps"] = ["gradient_accumulation", "grad_accumulation_steps", "accumulation_steps", "grad_accum", "accumulate_grad_batches"],
        ["training.learning_rate"] = ["lr", "base_lr", "max_lr", "peak_lr"],
        ["training.lr_scheduler"] = ["lr_scheduler_type", "lr_scheduler_kwargs", "scheduler", "schedule", "lr_schedule", "lr_decay_style"],
        ["training.lr_scheduler.min_lr_ratio"] = ["min_lr_ratio", "min_lr_rate", "cosine_min_lr_ratio"],
        ["training.warmup_steps"] = ["warmup", "num_warmup_steps", "lr_warmup_steps", "lr_warmup_iters"],
        ["training.warmup_ratio"] = ["warmup_fraction", "lr_warmup_ratio", "warmup_proportion"],
        ["training.max_grad_norm"] = ["clip", "grad_clip", "gradient_clip", "gradient_clipping", "gradient_clip_val", "clip_grad_norm", "max_norm"],
        ["training.optimizer"] = ["optim", "optimizer_type", "optimizer_name", "use_8bit_adam"],
        ["training.optimizer_in_backward"] = ["optimizer_in_bwd", "fuse_optimizer_step", "layerwise_optimizer"],
        ["training.adam_beta1 and training.adam_beta2"] = ["betas", "adam_betas"],
        ["training.adam_epsilon"] = ["epsilon", "eps", "adam_eps"],
        ["training.neftune_noise_alpha"] = ["neftune_alpha", "neftune", "noise_alpha"],
        ["training.seed"] = ["random_state", "data_seed", "random_seed"],
        ["training.precision"] = ["bf16", "fp16", "tf32", "torch_dtype", "dtype", "mixed_precision"],
        ["training.gradient_checkpointing"] = ["grad_checkpoint", "use_gradient_checkpointing", "activation_checkpointing", "enable_activation_checkpointing"],
        ["training.eval_every"] = ["eval_steps", "steps_per_eval", "eval_strategy", "evaluation_strategy", "evals_per_epoch", "eval_interval"],
        ["training.eval_batch_size"] = ["per_device_eval_batch_size", "val_batch_size"],
        ["training.early_stopping_patience"] = ["early_stopping", "early_stopping_steps", "patience"],
        ["training.save_every"] = ["save_steps", "save_strategy", "saves_per_epoch", "steps_per_save", "save_interval", "checkpoint_every"],
        ["training.save_total_limit"] = ["keep", "keep_checkpoints", "max_checkpoints", "keep_last"],
        ["samples.max_new_tokens"] = ["max_new_tokens", "max_tokens"],
        ["output"] = ["output_dir", "out_dir", "save_path", "adapter_path", "output_path"],
    }.SelectMany(ours => ours.Value.Select(foreign => KeyValuePair.Create(foreign, ours.Key))).ToFrozenDictionary();

    private static readonly FrozenDictionary<string, string> Words = new Dictionary<string, string>
    {
        ["logging_steps"] = "Every step is written to metrics.jsonl; remove the line.",
        ["log_every"] = "Every step is written to metrics.jsonl; remove the line.",
        ["steps_per_report"] = "Every step is written to metrics.jsonl; remove the line.",
        ["report_to"] = "Metrics are written to metrics.jsonl and report.html; remove the line.",
        ["load_in_4bit"] = "Write model.quantize: nf4-dq (or nf4, fp4); a model that was saved in 4 bits needs no key.",
        ["load_in_8bit"] = "Write model.quantize: int8 (or q8_0); a model that was saved in 8 bits needs no key.",
        ["load_best_model_at_end"] = "The best checkpoint is always kept; remove the line.",
        ["ddp_timeout"] = "A run uses one machine; remove the line.",
        ["deepspeed"] = "A run uses one machine; remove the line.",
        ["fsdp"] = "A run uses one machine; remove the line.",
    }.ToFrozenDictionary();

    /// <summary>A sentence that leads from an unknown key to the known one.</summary>
    /// <param name="key">The key that was found.</param>
    /// <param name="path">The section it was found in; empty for the top.</param>
    /// <param name="section">The options of that section.</param>
    public static string Advice(string key, string path, Type section)
    {
        string folded = key.Replace('-', '_').ToLowerInvariant();
        string[] known = [.. RecipeNames.KeysOf(section).Select(k => k.Key)];
        if (known.Contains(folded))
            return $"Write {folded}.";
        if (Ours.TryGetValue(folded, out string? ours))
            return $"Here it is {ours}.";
        if (Words.TryGetValue(folded, out string? words))
            return words;
        if (Elsewhere(folded, typeof(Recipe), "").FirstOrDefault(place => place != path) is { } place)
            return $"It belongs {(place.Length == 0 ? "at the top of the recipe" : $"in {place}:")}";
        if (NearestName.Of(key, known) is { } near)
            return $"Did you mean {near}?";
        return $"{(path.Length == 0 ? "A recipe" : path)} has {string.Join(", ", known)}.";
    }

    private static IEnumerable<string> Elsewhere(string key, Type section, string path)
    {
        foreach ((string name, PropertyInfo property) in RecipeNames.KeysOf(section))
        {
            if (name == key && !property.IsDefined(typeof(RestAttribute)))
                yield return path;
            Type type = property.PropertyType;
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
                type = type.GetGenericArguments()[0];
            if (type == typeof(string) || type == typeof(RecipeNode) || !type.IsClass)
                continue;
            foreach (string found in Elsewhere(key, type, path.Length == 0 ? name : $"{path}.{name}"))
                yield return found;
        }
    }
}
