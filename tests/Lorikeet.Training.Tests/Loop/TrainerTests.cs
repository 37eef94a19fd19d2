using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

/// <summary>The loop on a small model of random weights, all of which are trained.</summary>
public sealed class TrainerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-");

    [Fact]
    public void The_gradient_does_not_depend_on_how_a_step_is_divided_into_batches()
    {
        // rows of very different length: a mean of the batches' means would be another number
        (StepReport Report, float[] Weights) whole = OneStep(new() { BatchSize = 8 });
        foreach ((int size, int accumulation) in ((int, int)[])[(4, 2), (1, 8), (3, 3)])
        {
            (StepReport report, float[] weights) = OneStep(new() { BatchSize = size, GradientAccumulationSteps = accumulation });
            (report.Tokens, report.TargetTokens).ShouldBe((whole.Report.Tokens, whole.Report.TargetTokens));
            report.Loss.ShouldBe(whole.Report.Loss, 1e-6 * whole.Report.Loss);
            report.GradNorm.ShouldBe(whole.Report.GradNorm, 1e-5 * whole.Report.GradNorm);
            // Adam's first step has the size of the rate whatever the gradient: elements whose gradient is all but zero may go the other way
            Apart(weights, whole.Weights, 1e-5f).ShouldBeLessThan(1e-3, $"{size} x {accumulation}");
        }
    }

    [Fact]
    public void The_gradient_does_not_depend_on_how_many_rows_a_pass_takes()
    {
        (StepReport Report, float[] Weights) whole = OneStep(new() { BatchSize = 8 });
        foreach (int items in (int[])[4, 3, 1])
        {
            (StepReport report, float[] weights) = OneStep(new() { BatchSize = 8, OptimizerInBackward = false }, new PassPlan(items, 0, DType.F32));
            report.GradNorm.ShouldBe(whole.Report.GradNorm, 1e-5 * whole.Report.GradNorm);
            Apart(weights, whole.Weights, 1e-5f).ShouldBeLessThan(1e-3, $"{items}");
        }
    }

    [Fact]
    public void Some_blocks_may_be_computed_again_and_others_not()
    {
        (StepReport kept, float[] weights) = OneStep(new() { BatchSize = 4 });
        (StepReport again, float[] same) = OneStep(new() { BatchSize = 4 }, new PassPlan(4, 1, DType.F32));
        (again.Loss, again.GradNorm).ShouldBe((kept.Loss, kept.GradNorm));
        same.SequenceEqual(weights).ShouldBeTrue();
    }

    [Fact]
    public void Checkpointing_changes_no_bit_of_a_step()
    {
        (StepReport kept, float[] weights) = OneStep(new() { BatchSize = 4 });
        (StepReport again, float[] same) = OneStep(new() { BatchSize = 4, GradientCheckpointing = true });
        (again.Loss, again.GradNorm).ShouldBe((kept.Loss, kept.GradNorm));
        same.SequenceEqual(weights).ShouldBeTrue();
    }

    [Theory]
    [InlineData("adamw", false)]
    [InlineData("adamw", true)]
    [InlineData("adamw_8bit", false)]
    [InlineData("paged_adamw_8bit", true)]
    public void Weights_that_move_in_the_backward_pass_are_those_of_a_step_after_it(string optimizer, bool checkpointing)
    {
        TrainingOptions options = new() { BatchSize = 4, Optimizer = optimizer, GradientCheckpointing = checkpointing, OptimizerState = _folder.FullName, WeightDecay = 0.1 };
        (StepReport[] after, float[] weights, long memory) = Steps(options with { OptimizerInBackward = false });
        (StepReport[] within, float[] same, long less) = Steps(options with { OptimizerInBackward = true });
        within.Select(report => report.Loss).ShouldBe(after.Select(report => report.Loss));
        foreach ((StepReport one, StepReport other) in within.Zip(after))
            one.GradNorm.ShouldBe(other.GradNorm, 1e-9 * other.GradNorm);
        same.SequenceEqual(weights).ShouldBeTrue();
        less.ShouldBeLessThan(memory);
        // without clipping and accumulation nobody has to ask for it
        options.WhyGradientsStay.ShouldNotBeNull();
        (options with { MaxGradNorm = 0 }).UpdatesInBackward.ShouldBeTrue();
        (options with { MaxGradNorm = 0, GradientAccumulationSteps = 2 }).UpdatesInBackward.ShouldBeFalse();
    }

    [Fact]
    public void A_gradient_that_is_not_finite_is_told_where_weights_move_in_the_backward_pass()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Trainer trainer = New(model, new() { Steps = 1, BatchSize = 4, MaxGradNorm = 0 });
        // finite in the forward pass, infinite squares on the way back
        model.Parameters.First(parameter => parameter.Name.EndsWith("layers.1.input_layernorm.weight", StringComparison.Ordinal)).Value.Fill(1e30f);
        DivergedException diverged = Should.Throw<DivergedException>(() => trainer.OneStep());
        diverged.Step.ShouldBe(1);
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("adamw_8bit")]
    public void Paged_moments_change_no_bit(string optimizer)
    {
        TrainingOptions options = new() { BatchSize = 4, Optimizer = optimizer };
        (_, float[] weights, _) = Steps(options);
        (_, float[] same, _) = Steps(options with { Optimizer = "paged_" + optimizer, OptimizerState = _folder.FullName });
        same.SequenceEqual(weights).ShouldBeTrue();
        _folder.GetFileSystemInfos().ShouldBeEmpty("the file goes with the trainer");
    }

    [Theory]
    [InlineData("adamw_8bit", 1.0)]
    [InlineData("paged_adamw_8bit", 1.0)]
    [InlineData("paged_adamw_8bit", 0.0)]
    public void A_run_with_moments_in_eight_bits_is_resumed_without_a_difference(string optimizer, double clip)
    {
        TrainingOptions options = new() { Steps = 6, BatchSize = 4, SaveEvery = 3, SaveTotalLimit = 10, Optimizer = optimizer, OptimizerState = _folder.FullName, MaxGradNorm = clip };
        using CausalLm model = ModelLoader.Load("random:tiny"), other = ModelLoader.Load("random:tiny");
        Checkpoints checkpoints = new(Path.Combine(_folder.FullName, "checkpoints"), 10, aside => ModelFolder.SaveInto(model, null, aside));
        using (Trainer trainer = New(model, options, checkpoints: checkpoints))
            trainer.Run(TestContext.Current.CancellationToken);
        using Trainer resumed = New(other, options);
        resumed.Resume(Path.Combine(_folder.FullName, "checkpoints", "step-000003"));
        resumed.Run(TestContext.Current.CancellationToken).Steps.ShouldBe(6);
        WeightsOf(other).SequenceEqual(WeightsOf(model)).ShouldBeTrue();

        // moments of another kind are no moments of this run
        using CausalLm third = ModelLoader.Load("random:tiny");
        using Trainer wrong = New(third, options with { Optimizer = "adamw" });
        Should.Throw<InputException>(() => wrong.Resume(Path.Combine(_folder.FullName, "checkpoints", "step-000003"))).Message.ShouldContain("exp_avg.model.embed_tokens.weight is U8 [512, 64], the run has F32");
    }

    [Fact]
    public void A_gradient_is_clipped_to_the_norm_that_was_asked_for_and_a_smaller_one_is_left()
    {
        TrainingOptions unclipped = new() { BatchSize = 4, MaxGradNorm = 0 };
        (double norm, double mean) = MeanAfterOneStep(unclipped);
        norm.ShouldBeGreaterThan(0.5);
        // the optimiser's mean is a tenth of the gradient that it was given
        mean.ShouldBe(0.1 * norm, 1e-5 * norm);
        (double reported, double clipped) = MeanAfterOneStep(unclipped with { MaxGradNorm = 0.25 });
        reported.ShouldBe(norm, 1e-9 * norm, "what is reported is the norm before");
        clipped.ShouldBe(0.025, 1e-5);
        (reported, double left) = MeanAfterOneStep(unclipped with { MaxGradNorm = 10 * norm });
        left.ShouldBe(mean);
        reported.ShouldBe(norm, 1e-12 * norm, "weights that move in the backward pass add their squares in another order");
    }

    [Fact]
    public void Training_stops_when_evaluations_no_longer_improve_and_the_best_checkpoint_is_kept()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        TrainingOptions options = new() { Steps = 40, BatchSize = 4, EvalEvery = 2, EarlyStoppingPatience = 3, EarlyStoppingThreshold = 1e6, SaveEvery = 2, SaveTotalLimit = 1 };
        // nothing improves by a million: the evaluation before training stays the best one
        using Trainer stuck = New(model, options, eval: Rows(4, seed: 9));
        TrainResult result = stuck.Run(TestContext.Current.CancellationToken);
        (result.Outcome, result.Steps, result.BestStep, result.BestCheckpoint).ShouldBe((TrainOutcome.StoppedEarly, 6, 0, null));
    }

    [Fact]
    public void The_best_checkpoint_outlives_newer_ones_and_can_be_gone_back_to()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        // which tokens there are at all is soon learned; learning the training rows by heart then makes other rows less likely
        TrainingOptions options = new() { Steps = 200, BatchSize = 4, EvalEvery = 3, EarlyStoppingPatience = 3, SaveEvery = 3, SaveTotalLimit = 1 };
        Checkpoints checkpoints = NewCheckpoints(model);
        using Trainer trainer = New(model, options, Rows(4, seed: 9), checkpoints, rate: 3e-3);
        List<EvaluationReport> evaluations = [];
        trainer.Evaluated = evaluations.Add;
        TrainResult result = trainer.Run(TestContext.Current.CancellationToken);
        EvaluationReport best = evaluations.MinBy(report => report.Loss);
        (result.Outcome, result.BestStep, result.BestEvaluation).ShouldBe((TrainOutcome.StoppedEarly, best.Step, best.Loss));
        evaluations.Count(report => report.Step > best.Step).ShouldBe(3);
        best.Step.ShouldBeGreaterThan(0);
        string.Join(' ', Directory.GetDirectories(checkpoints.Folder).Select(Path.GetFileName).Order())
            .ShouldBe($"step-{best.Step:000000} step-{result.Steps:000000}");
        trainer.Resume(result.BestCheckpoint.ShouldNotBeNull());
        new Evaluation(Rows(4, seed: 9), 4).Run(model, trainer.Pass, stop: TestContext.Current.CancellationToken).Loss.ShouldBe(best.Loss);
    }

    [Fact]
    public void A_run_that_is_asked_to_stop_finishes_its_step_and_saves_it()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        Checkpoints checkpoints = NewCheckpoints(model);
        using Trainer trainer = New(model, new() { Steps = 10, BatchSize = 4 }, checkpoints: checkpoints);
        using CancellationTokenSource stop = new();
        trainer.Stepped = report =>
        {
            if (report.Step == 3)
                stop.Cancel();
        };
        TrainResult result = trainer.Run(stop.Token);
        (result.Outcome, result.Steps, result.Checkpoint).ShouldBe((TrainOutcome.Interrupted, 3, Path.Combine(checkpoints.Folder, "step-000003")));
        // and goes on in the same process
        trainer.Run(TestContext.Current.CancellationToken).Steps.ShouldBe(10);
    }

    [Fact]
    public void A_run_that_is_stopped_before_its_first_step_has_nothing_to_save()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Trainer trainer = New(model, new() { Steps = 10, BatchSize = 4 }, checkpoints: NewCheckpoints(model));
        TrainResult result = trainer.Run(new CancellationToken(canceled: true));
        (result.Outcome, result.Steps, result.Checkpoint).ShouldBe((TrainOutcome.Interrupted, 0, null));
    }

    [Fact]
    public void An_evaluation_that_is_not_a_number_says_whether_the_step_before_it_was_made()
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        TrainingOptions options = new() { Steps = 10, BatchSize = 4, EvalEvery = 1 };
        using Trainer trainer = New(model, options, Rows(4, seed: 9));
        trainer.Stepped = _ => model.Parameters[0].Value.Values[5] = float.NaN;
        DivergedException after = Should.Throw<DivergedException>(() => trainer.Run(TestContext.Current.CancellationToken));
        after.Step.ShouldBe(1);
        after.Message.ShouldStartWith("step 1: the evaluation loss is not finite.");
        after.Message.ShouldContain("weights of this step were not saved");
        after.Message.ShouldNotContain("before this step changed anything");
        using Trainer again = New(model, options, Rows(4, seed: 9));
        DivergedException before = Should.Throw<DivergedException>(() => again.Run(TestContext.Current.CancellationToken));
        before.Message.ShouldStartWith("before the first step: the evaluation loss is not finite. Nothing was trained.");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static (StepReport Report, float[] Weights) OneStep(TrainingOptions options, PassPlan? passes = null)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        using Trainer trainer = New(model, options with { Steps = 1, MaxGradNorm = 0 }, order: RowOrder.File, passes: passes);
        StepReport report = trainer.OneStep();
        return (report, [.. model.Parameters.SelectMany(parameter => parameter.Value.Values.ToArray())]);
    }

    private static (StepReport[] Reports, float[] Weights, long Memory) Steps(TrainingOptions options)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        options = options with { Steps = 3, MaxGradNorm = 0 };
        using Trainer trainer = New(model, options);
        StepReport[] reports = [.. Enumerable.Range(0, 3).Select(_ => trainer.OneStep())];
        return (reports, WeightsOf(model), Trainer.TrainedBytes(model, model.Parameters, options));
    }

    private static float[] WeightsOf(CausalLm model) => [.. model.Parameters.SelectMany(parameter => parameter.Value.Values.ToArray())];

    private (double Norm, double Mean) MeanAfterOneStep(TrainingOptions options)
    {
        using CausalLm model = ModelLoader.Load("random:tiny");
        string folder = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        Checkpoints checkpoints = new(folder, 1, aside => ModelFolder.SaveInto(model, null, aside));
        using Trainer trainer = New(model, options with { Steps = 1 }, checkpoints: checkpoints, order: RowOrder.File);
        double norm = double.NaN, squares = 0;
        trainer.Stepped = report => norm = report.GradNorm;
        string saved = trainer.Run(TestContext.Current.CancellationToken).Checkpoint.ShouldNotBeNull();
        using ITensorSource state = Formats.TensorFiles.Open(Path.Combine(saved, "optimizer.safetensors"));
        foreach (string name in state.Names.Where(name => name.StartsWith("exp_avg.", StringComparison.Ordinal)))
        {
            foreach (float value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(state.Find(name)!.Bytes.Span))
                squares += (double)value * value;
        }
        return (norm, Math.Sqrt(squares));
    }

    private static Trainer New(CausalLm model, TrainingOptions options, ExampleSet? eval = null, Checkpoints? checkpoints = null, double rate = 1e-3, RowOrder order = RowOrder.Shuffle,
        PassPlan? passes = null) => new(model, model.Parameters, options, rate, Rows(8, seed: 1), order, eval, checkpoints, passes);

    private Checkpoints NewCheckpoints(CausalLm model) => new(Path.Combine(_folder.FullName, "checkpoints"), 1, aside => ModelFolder.SaveInto(model, null, aside));

    private static ExampleSet Rows(int count, int seed)
    {
        Random random = new(seed);
        TrainingExample Row(int length)
        {
            int[] ids = [.. Enumerable.Range(0, length).Select(_ => random.Next(16))];
            return TrainingExample.Completion([.. ids.Take(length / 3)], [.. ids.Skip(length / 3)]);
        }
        return ExampleSet.Of([.. Enumerable.Range(0, count).Select(i => Row(4 + i * i))], Packing.None, 512);
    }

    private static double Apart(float[] a, float[] b, float tolerance)
    {
        int apart = 0;
        for (int i = 0; i < a.Length; i++)
            apart += Math.Abs(a[i] - b[i]) > tolerance ? 1 : 0;
        return (double)apart / a.Length;
    }
}
