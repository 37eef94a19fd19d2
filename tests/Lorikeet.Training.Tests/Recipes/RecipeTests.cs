using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

public sealed class RecipeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-recipe").FullName;
    private readonly string _rows;

    public RecipeTests()
    {
        _rows = Path.Combine(_folder, "rows.jsonl");
        File.WriteAllText(_rows, """{"text":"x"}""");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_model_and_a_file_are_enough()
    {
        Recipe recipe = Parse($"model: some/folder\ndata: {_rows}\n");
        recipe.Model.Path.ShouldBe("some/folder");
        recipe.Data.Train.ShouldHaveSingleItem().Path.ShouldBe(_rows);
        recipe.Adapter.Method.ShouldBe("lora");
        recipe.Training.BatchSize.ShouldBe(8);
        recipe.Training.TotalSteps(10).ShouldBe(10);
        recipe.Output.ShouldBe(Path.Combine("runs", "recipe"));
    }

    [Fact]
    public void Every_kind_of_value_is_read()
    {
        Recipe recipe = Parse($$"""
            model:
              path: random:smollm2-135m
              chat_template: template.jinja
            adapter:
              method: lora
              r: 16
              lora_alpha: 3.2e1
              target_modules: [q_proj, v_proj]
              use_rslora: true
              note: "7"
              rank_pattern: {"layers.0": 4}
            data:
              train:
                - {{_rows}}
                - path: {{_rows}}
                  prompt: "{a} ->"
                  completion: ' {b}'
                  limit: 10
                  strip: true
              eval_fraction: 0.1
              loss_on: completion
              packing: bfd
              truncation: keep_end
              max_length: 512
            training:
              steps: 300
              learning_rate: 5e-4
              lr_scheduler: {kind: cosine_with_restarts, cycles: 3}
              warmup_ratio: 0.05
              precision: bf16
              eval_every: 100
              early_stopping_patience: 3
            samples: {prompts: ["a: b", 'c'], count: 0}
            output: out
            """);
        recipe.Data.Train.Select(s => s.Limit).ShouldBe([null, 10]);
        recipe.Data.Train[1].Completion.ShouldBe(" {b}");
        recipe.Data.Truncation.ShouldBe(Truncation.KeepEnd);
        recipe.Data.Packing.ShouldBe(Packing.Bfd);
        recipe.Training.LrScheduler.ShouldBe(new ScheduleOptions { Kind = ScheduleKind.CosineWithRestarts, Cycles = 3 });
        recipe.Training.TotalWarmupSteps(recipe.Training.TotalSteps(7)).ShouldBe(15);
        recipe.Training.Precision.ShouldBe(Precision.BF16);
        recipe.Samples.Prompts.ShouldBe(["a: b", "c"]);
        recipe.Adapter.Options.ToJson()!.ToJsonString().ShouldBe(
            """{"r":16,"lora_alpha":32,"target_modules":["q_proj","v_proj"],"use_rslora":true,"note":"7","rank_pattern":{"layers.0":4}}""");
        recipe.Adapter.Options.LocationOf("r").ToString().ShouldBe("recipe.yaml:6:3");
    }

    [Fact]
    public void A_written_recipe_reads_back_as_the_same_recipe()
    {
        Recipe recipe = Parse($$"""
            model: m
            adapter: {method: lora, r: 8, note: "8", odd: 'a: {b}', empty: "", none: null}
            data:
              train: [{path: {{_rows}}, prompt: "{q}: #\n", completion: "null", separator: "||", file_type: text}]
              eval_fraction: 0.25
            training: {learning_rate: 1e-4, lr_scheduler: cosine, eval_every: 7, warmup_steps: 3}
            samples: {prompts: ["true", "~", "", " x ", "- y"]}
            """);
        string written = recipe.ToYaml();
        Recipe again = Recipe.Parse(written, "again.yaml");
        again.ToYaml().ShouldBe(written);
        again.Data.Train[0].Prompt.ShouldBe("{q}: #\n");
        again.Data.Train[0].Completion.ShouldBe("null");
        again.Samples.Prompts.ShouldBe(["true", "~", "", " x ", "- y"]);
        again.Output.ShouldBe(recipe.Output);
        again.Adapter.Options.ToJson()!.ToJsonString().ShouldBe(recipe.Adapter.Options.ToJson()!.ToJsonString());
        written.ShouldContain("batch_size: 8");
    }

    [Fact]
    public void Every_problem_is_reported_at_once_with_its_place()
    {
        IReadOnlyList<string> problems = Problems($$"""
            model: m
            data:
              train: {{_rows}}
              max_lenght: 512
              packing: true
            training:
              per_device_train_batch_size: 4
              batch_size: many
              learning_rate: -1
              epochs: "3"
              weight_decay: 0,1
              max_length: 12
              Seed: 1
              gradient_checkpointing: yes
              optimizer_in_bwd: true
              lr_scheduler: cosin
              wild: 1
            lr: 1e-3
            """);
        problems.ShouldBe([
            "recipe.yaml:4:3: data.max_lenght: no such key. Did you mean max_length?",
            "recipe.yaml:5:12: data.packing: found 'true', expected one of none, bfd, wrapped.",
            "recipe.yaml:7:3: training.per_device_train_batch_size: no such key. Here it is training.batch_size.",
            "recipe.yaml:8:15: training.batch_size: found 'many', expected a whole number of at least 1 and at most 1000000.",
            "recipe.yaml:9:18: training.learning_rate: found '-1', expected a number above 0 and at most 1000.",
            "recipe.yaml:10:11: training.epochs: found the text '3', expected a number above 0. Remove the quotes.",
            "recipe.yaml:11:17: training.weight_decay: found '0,1', expected a number of at least 0 and at most 10. Write a point for decimals and nothing between thousands.",
            "recipe.yaml:12:3: training.max_length: no such key. It belongs in data:",
            "recipe.yaml:13:3: training.Seed: no such key. Write seed.",
            "recipe.yaml:14:27: training.gradient_checkpointing: found 'yes', expected true or false. Write true.",
            "recipe.yaml:15:3: training.optimizer_in_bwd: no such key. Here it is training.optimizer_in_backward.",
            "recipe.yaml:16:17: training.lr_scheduler: found 'cosin', expected one of constant, linear, cosine, cosine_with_restarts, cosine_from_first_step, "
                + "polynomial, inverse_sqrt, warmup_stable_decay, reduce_on_plateau. Did you mean cosine?",
            "recipe.yaml:17:3: training.wild: no such key. training has epochs, steps, batch_size, gradient_accumulation_steps, learning_rate, lr_scheduler, warmup_steps, "
                + "warmup_ratio, max_grad_norm, weight_decay, optimizer, optimizer_state, optimizer_in_backward, adam_beta1, adam_beta2, adam_epsilon, neftune_noise_alpha, seed, precision, "
                + "activations, memory, gradient_checkpointing, eval_every, "
                + "eval_batch_size, early_stopping_patience, early_stopping_threshold, save_every, save_total_limit.",
            "recipe.yaml:18:1: lr: no such key. Here it is training.learning_rate.",
        ]);
    }

    [Theory]
    [InlineData("training: {epochs: 1, steps: 5}", "found both steps and epochs")]
    [InlineData("training: {warmup_steps: 1, warmup_ratio: 0.1}", "found both warmup_steps and warmup_ratio")]
    [InlineData("training: {warmup_steps: 5, steps: 5}", "the full rate would never be used")]
    [InlineData("training: {early_stopping_patience: 2}", "early stopping needs evaluations, and there is nothing to evaluate on")]
    [InlineData("training: {early_stopping_threshold: 0.2}", "no effect without early_stopping_patience")]
    [InlineData("training: {eval_every: 2}", "there is nothing to evaluate on")]
    [InlineData("training: {lr_scheduler: {kind: linear, power: 2}}", "has no effect with linear")]
    [InlineData("training: {lr_scheduler: {kind: cosine, end_lr: 1e-6}}", "has no effect with cosine, which has min_lr_ratio, cycles")]
    [InlineData("training: {learning_rate: 1e-6, lr_scheduler: {kind: polynomial, end_lr: 1e-5}}", "expected less than the learning_rate")]
    [InlineData("training: {optimizer: adamw_8bits}", "training.optimizer: found adamw_8bits, expected one of adamw, adamw_8bit, paged_adamw, paged_adamw_8bit. Did you mean adamw_8bit?")]
    [InlineData("training: {optimizer: adamw_bnb_8bit, optimizer_state: fast-disk}", "training.optimizer_state: has no effect with adamw_bnb_8bit, whose moments are in memory; write optimizer: paged_adamw_8bit")]
    [InlineData("training: {optimizer_in_backward: true}", "clipping to max_grad_norm needs the gradients of all weights before one of them moves; write max_grad_norm: 0")]
    [InlineData("training: {optimizer_in_backward: true, max_grad_norm: 0}", "training.optimizer_in_backward: is for full fine-tuning")]
    [InlineData("training: {optimizer_in_backward: true, max_grad_norm: 0, gradient_accumulation_steps: 2}", "gradients are added up over gradient_accumulation_steps batches before a weight moves")]
    [InlineData("training: {lr_scheduler: reduce_on_plateau}", "follows the evaluation loss")]
    [InlineData("training: {lr_scheduler: {kind: cosine_with_restarts, cycles: 1.5}}", "expected a whole number of restarts")]
    [InlineData("training: {steps: 10, lr_scheduler: {kind: warmup_stable_decay, stable_steps: 9, decay_steps: 2}}", "expected no more than the run has")]
    public void Settings_of_training_that_contradict_each_other_are_reported(string section, string problem) =>
        Problems($"model: m\ndata: {_rows}\n{section}\n").ShouldHaveSingleItem().ShouldContain(problem);

    [Theory]
    [InlineData("packing: bfd, order: by_length", "found by_length together with packing")]
    [InlineData("packing: wrapped, truncation: drop", "has no effect with packing: wrapped")]
    [InlineData("eval_fraction: 0.1, eval: ROWS", "found both eval and eval_fraction")]
    [InlineData("eval: {path: ROWS, prompt: '{a}'}", "found a prompt without a completion")]
    [InlineData("eval: {path: ROWS, text: '{a'}", "found { without } at character 1 of the template")]
    [InlineData("eval: {path: ROWS, text: '{a}', format: text}", "together with a template")]
    [InlineData("eval: {path: ROWS, separator: '||'}", "JSON lines by its name")]
    [InlineData("eval: {path: ROWS, fields: [a, b]}", "need a separator")]
    [InlineData("eval: {path: ROWS, split_by: line}", "splits running text")]
    [InlineData("eval: {path: nowhere.jsonl}", "no such file: 'nowhere.jsonl'")]
    public void Settings_of_data_that_contradict_each_other_are_reported(string settings, string problem)
    {
        string only = Problems($$"""
            model: m
            data: {train: {{_rows}}, {{settings.Replace("ROWS", _rows, StringComparison.Ordinal)}}}
            """).ShouldHaveSingleItem();
        only.ShouldContain(problem);
        only.ShouldStartWith("recipe.yaml:2:");
    }

    [Theory]
    [InlineData("", "model: not given")]
    [InlineData("model: m", "data: not given")]
    [InlineData("model: m\ndata: []", "data: found a list, expected at least one")]
    [InlineData("model: [a]\ndata: ROWS", "model: found a list")]
    [InlineData("model: m\ndata: ROWS\nmodel: n", "recipe.yaml:3:1: model: found twice, first at recipe.yaml:1:1")]
    [InlineData("model: &m x\ndata: ROWS\noutput: *m", "found an alias")]
    [InlineData("model: !tag x\ndata: ROWS", "found a tag")]
    [InlineData("model: [x\ndata: ROWS", "1:8: not YAML: a list, a section or a quoted text begins here and is not closed")]
    [InlineData("model: m\n\tdata: ROWS", "not YAML")]
    [InlineData("model: {a\ndata: ROWS", "not YAML")]
    [InlineData("just words", "found 'just words', expected the keys of a recipe")]
    [InlineData("model: m\ndata: ROWS\n---\nmodel: n", "found a second document")]
    [InlineData("model: m\ndata: {train: ROWS, eval: {path: ROWS, text: {a}}}", "data.eval.text: found a map, expected a text (in quotes")]
    public void A_text_that_is_no_recipe_is_explained(string yaml, string problem) =>
        string.Join('\n', Problems(yaml.Replace("ROWS", _rows, StringComparison.Ordinal))).ShouldContain(problem);

    [Fact]
    public void Damaged_recipes_are_refused_and_never_crash()
    {
        string good = Parse($"model: m\ndata: {{train: [{{path: {_rows}, text: '{{a}}: #'}}], max_length: 9}}\nadapter: {{r: 3, x: [1, \"2\"]}}\n").ToYaml();
        Random random = new(7);
        const string Noise = "{}[]:,#&*!|>'\"%@`-? \n\tx0\0\u2028";
        for (int round = 0; round < 800; round++)
        {
            char[] text = good.ToCharArray();
            for (int i = 0; i < 1 + round % 4; i++)
                text[random.Next(text.Length)] = Noise[random.Next(Noise.Length)];
            try
            {
                Parse(new string(text, 0, random.Next(1, text.Length + 1)));
            }
            catch (InputException refused)
            {
                refused.Problems.ShouldNotBeEmpty();
            }
        }
    }

    [Fact]
    public void Deep_nesting_does_not_exhaust_the_stack() =>
        Problems("model: " + new string('[', 100_000)).ShouldHaveSingleItem().ShouldContain("nested deeper than");

    [Fact]
    public void Options_of_the_command_line_win_over_the_file()
    {
        Recipe recipe = Parse($"model: m\ndata: {_rows}\ntraining: {{steps: 5, batch_size: 2}}\n",
            "training.batch_size=16", "adapter.r=4", "adapter.target_modules=[q_proj, v_proj]", "model.tokenizer=other", "data.max_length=64",
            "data.train.text={a}: [b] #c", "training.lr_scheduler.kind=cosine", "training.steps=", "training.epochs=2", "output=here", "samples.prompts=[x, y]");
        recipe.Training.BatchSize.ShouldBe(16);
        recipe.Training.Steps.ShouldBeNull();
        recipe.Training.Epochs.ShouldBe(2);
        recipe.Training.LrScheduler.Kind.ShouldBe(ScheduleKind.Cosine);
        recipe.Model.ShouldBe(new ModelOptions { Path = "m", Tokenizer = "other" });
        recipe.Data.MaxLength.ShouldBe(64);
        recipe.Data.Train[0].Text.ShouldBe("{a}: [b] #c");
        recipe.Output.ShouldBe("here");
        recipe.Samples.Prompts.ShouldBe(["x", "y"]);
        recipe.Adapter.Options.ToJson()!.ToJsonString().ShouldBe("""{"r":4,"target_modules":["q_proj","v_proj"]}""");
    }

    [Theory]
    [InlineData("training.batchsize=4", "--set training.batchsize=4: training.batchsize: no such key. Here it is training.batch_size.")]
    [InlineData("training.batch_size=x", "--set training.batch_size=x: training.batch_size: found 'x', expected a whole number of at least 1 and at most 1000000.")]
    [InlineData("training.batch_size", "--set training.batch_size: expected section.key=value, such as training.learning_rate=1e-4.")]
    [InlineData("training..x=1", "--set training..x=1: found an empty name between the points of 'training..x', expected section.key=value.")]
    [InlineData("training.seed.x=1", "--set training.seed.x=1: training.seed is a plain value and has no key 'x'.")]
    [InlineData("data.train.limit=1", "--set data.train.limit=1: data.train is a list of 2: expected a number from 0 to 1 in place of 'limit'.")]
    [InlineData("training.epochs=1", "--set training.epochs=1", "found both steps and epochs")]
    public void Options_of_the_command_line_get_the_same_checks(string option, params string[] parts)
    {
        InputException refused = Should.Throw<InputException>(() => Parse($"model: m\ndata: [{_rows}, {_rows}]\ntraining: {{steps: 5, seed: 1}}\n", option));
        string only = refused.Problems.ShouldHaveSingleItem();
        foreach (string part in parts.Take(parts.Length == 1 ? 1 : 0))
            only.ShouldBe(part);
        foreach (string part in parts.Skip(1))
            only.ShouldContain(part);
    }

    [Fact]
    public void A_list_item_is_named_by_its_number() =>
        Parse($"model: m\ndata: [{_rows}, {_rows}]\n", "data.train.1.limit=3").Data.Train.Select(s => s.Limit).ShouldBe([null, 3]);

    [Theory]
    [InlineData("{path: m, quantize: nf5}", "lora", "expected one of")]
    [InlineData("{path: m, quantize: nf4}", "full", "cannot stay quantised")]
    public void Storages_of_the_model_are_checked(string model, string method, string problem) =>
        Problems($"model: {model}\nadapter: {method}\ndata: {_rows}\n").ShouldHaveSingleItem().ShouldContain(problem);

    [Fact]
    public void Names_of_other_trainers_lead_to_names_that_exist()
    {
        string all = string.Join('\n', Problems("num_train_epochs: 1\nmicro_batch_size: 1\ncutoff_len: 5\nlora_r: 4\nval_set_size: 0.1\noutput_dir: x\nbf16: true\nbase_model: m\n"));
        foreach (string ours in new[] { "training.epochs", "training.batch_size", "data.max_length", "adapter.r", "data.eval_fraction", "output.", "training.precision", "model." })
            all.ShouldContain("Here it is " + ours);
    }

    [Fact]
    public void A_file_that_is_not_there_or_not_text_is_explained()
    {
        Should.Throw<InputException>(() => Recipe.Load(Path.Combine(_folder, "no.yaml"))).Message.ShouldContain("no such file");
        Should.Throw<InputException>(() => Recipe.Load(_folder)).Message.ShouldContain("found a folder");
        string binary = Path.Combine(_folder, "b.yaml");
        File.WriteAllBytes(binary, [0x6d, 0xff, 0xfe]);
        Should.Throw<InputException>(() => Recipe.Load(binary)).Message.ShouldContain("not UTF-8");
    }

    private static Recipe Parse(string yaml, params string[] overrides) => Recipe.Parse(yaml, "recipe.yaml", overrides);

    private static IReadOnlyList<string> Problems(string yaml) => Should.Throw<InputException>(() => Parse(yaml)).Problems;
}
