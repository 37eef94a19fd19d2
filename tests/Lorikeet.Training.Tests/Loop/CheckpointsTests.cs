using Lorikeet.Models;
using Lorikeet.Tensors;

namespace Lorikeet.Training.Tests;

/// <summary>Which checkpoints stay, which go, and whose they are.</summary>
public sealed class CheckpointsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lorikeet-");
    private readonly CausalLm _model = ModelLoader.Load("random:tiny");

    [Fact]
    public void A_new_run_does_not_mix_its_checkpoints_with_those_of_an_earlier_one()
    {
        Run(6);
        InputException refused = Should.Throw<InputException>(() => Run(4));
        refused.Message.ShouldContain("step-000006");
        refused.Message.ShouldContain("--resume");
        refused.Message.ShouldContain("--overwrite");
        Kept.ShouldBe("step-000004 step-000006");
        Run(4, overwrite: true);
        Kept.ShouldBe("step-000002 step-000004");
    }

    [Fact]
    public void A_run_that_goes_back_leaves_no_checkpoints_of_the_future_behind()
    {
        Run(6);
        Run(5, resume: "step-000004");
        Kept.ShouldBe("step-000004 step-000005");
    }

    [Fact]
    public void A_run_may_go_on_from_a_checkpoint_elsewhere_but_not_among_those_of_another_run()
    {
        Run(6);
        string elsewhere = Path.Combine(_folder.FullName, "elsewhere");
        Run(8, resume: "step-000006", folder: elsewhere);
        Directory.GetDirectories(elsewhere).Select(Path.GetFileName).ShouldBe(["step-000008"]);
        Should.Throw<InputException>(() => Run(10, resume: "step-000006", folder: elsewhere));
        Run(10, resume: "step-000006", folder: elsewhere, overwrite: true);
        Directory.GetDirectories(elsewhere).Select(Path.GetFileName).Order().ShouldBe(["step-000008", "step-000010"]);
    }

    [Fact]
    public void What_a_killed_process_left_half_written_or_half_removed_goes()
    {
        Run(4);
        Directory.CreateDirectory(Path.Combine(Folder, ".step-000005.1-1-00000000.unfinished", "deeper"));
        File.WriteAllText(Path.Combine(Folder, ".trainer_state.json.1-2-00000000.unfinished"), "{");
        Directory.CreateDirectory(Path.Combine(Folder, "step-000001"));
        Run(6, resume: "step-000004");
        Directory.GetFileSystemEntries(Folder).Select(Path.GetFileName).Order().ShouldBe(["step-000004", "step-000006"]);
    }

    [Fact]
    public void The_day_that_templates_were_told_is_kept()
    {
        Run(2, date: new DateOnly(2024, 2, 29));
        Checkpoints.DateOf(Path.Combine(Folder, "step-000002")).ShouldBe(new DateOnly(2024, 2, 29));
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Delete(recursive: true);
    }

    private string Folder => Path.Combine(_folder.FullName, "checkpoints");

    private string Kept => string.Join(' ', Directory.GetDirectories(Folder).Select(Path.GetFileName).Order());

    private void Run(int steps, string? resume = null, string? folder = null, bool overwrite = false, DateOnly? date = null)
    {
        Checkpoints checkpoints = new(folder ?? Folder, 2, aside => ModelFolder.SaveInto(_model, null, aside)) { Overwrite = overwrite, Date = date };
        TrainingExample[] rows = [.. Enumerable.Range(0, 8).Select(i => TrainingExample.Whole([i, i + 1, i + 2, i + 3]))];
        using Trainer trainer = new(_model, _model.Parameters, new() { Steps = steps, BatchSize = 2, SaveEvery = 2 }, 1e-3, ExampleSet.Of(rows, Packing.None, 8), RowOrder.Shuffle, null, checkpoints);
        if (resume is not null)
            trainer.Resume(Path.Combine(Folder, resume));
        trainer.Run(TestContext.Current.CancellationToken);
    }
}
