using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Lorikeet.Nn;
using Lorikeet.Tensors;

namespace Lorikeet.Training;

/// <summary>Whether a run can go on from a checkpoint: the recipe, the data and the frozen weights of both are held against each other.</summary>
public static class Continuation
{
    // of a tensor: the bytes at either end, and so many lines of a cache in between
    private const int EndBytes = 4096, Lines = 30, LineBytes = 64;

    // what decides neither what a step computes nor which step comes next; how long a run is, what its rows are, and the base are looked at by themselves
    private static readonly string[] Free =
    [
        "output", "samples", "training.steps", "training.epochs", "training.save_every", "training.save_total_limit", "training.optimizer_state", "training.optimizer_in_backward",
        "training.memory", "training.gradient_checkpointing",
    ];

    // what only evaluations read, which in turn only one schedule listens to
    private static readonly string[] Watching = ["training.eval_every", "training.eval_batch_size", "training.early_stopping_patience", "training.early_stopping_threshold"];

    /// <summary>Refuses a run that would not be the checkpoint's.</summary>
    /// <param name="checkpoint">Its folder.</param>
    /// <param name="recipe">What is asked for now, with what <see cref="Checkpoints.Decided"/> gave.</param>
    /// <param name="data">What it trains on now.</param>
    /// <param name="frozen">What <see cref="FingerprintOf"/> says of the base now; null where nothing of it is frozen.</param>
    /// <param name="steps">Optimiser steps of the whole run now.</param>
    /// <param name="adapterDefaults">What the adapter's options are where a recipe does not give them.</param>
    /// <returns>What somebody should know though it is no obstacle.</returns>
    /// <exception cref="InputException">It is no checkpoint; settings, data or base are others, or all steps are done and more.</exception>
    public static IReadOnlyList<string> Check(string checkpoint, Recipe recipe, ExampleSet data, ulong? frozen, int steps, JsonObject? adapterDefaults = null)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        Checkpoints.State state = Checkpoints.ReadState(checkpoint);
        List<string> problems = [], notes = [];
        int done = state.Progress!.Value.Step;
        if (steps < done)
            problems.Add(string.Create(Invariant, $"training.{(recipe.Training.Steps is null ? "epochs" : "steps")}: asks for {steps:N0} steps in all, the checkpoint has done {done:N0}; ask for more, or go on from an older checkpoint (--resume-from)"));
        bool otherData = state.Sampler.Data != data.Fingerprint, otherBase = state.Base is { } before && frozen is { } now && before != now;
        RecipeNode? made = Checkpoints.RecipeIn(checkpoint);
        if (made is null)
            notes.Add($"{checkpoint}: keeps no recipe: settings could not be compared with those that it was made with");
        IReadOnlyList<RecipeDifference> differences = made is not null ? RecipeDifference.Between(made, recipe, state, adapterDefaults ?? []) : [];
        if (otherData)
            problems.Add("data: the rows, or the tokens that they become, are others than the checkpoint was made with; restore files, tokenizer and chat template");
        if (otherBase)
            problems.Add($"model: the weights of {recipe.Model.Path} are others than the checkpoint was made with, or are stored otherwise");
        // settings beside what came of them: they may be the cause, or only part of it
        problems.AddRange(differences.Where(difference => Matters(difference.Key, recipe, otherData, otherBase)).Select(difference => difference.ToString()));
        if (problems.Count > 0)
            throw new InputException($"{checkpoint}: cannot go on with this recipe as the run that made it. Write what the checkpoint has, or begin a new run (without --resume, with --set output=FOLDER)", problems);
        if (differences.FirstOrDefault(difference => difference.Key is "training.steps" or "training.epochs") is { } length && FollowsLength(recipe.Training))
            notes.Add($"{length}: from here on the learning rate follows the curve of the new length");
        return notes;
    }

    /// <summary>A number that changes with the weights of a model and with how they are stored: of each, both ends count and a sample of what lies between them.</summary>
    public static ulong FingerprintOf(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Fingerprint digest = new();
        foreach (Parameter parameter in model.Parameters)
        {
            NativeBytes bytes = parameter.Value.Contents;
            digest.Add((ulong)parameter.Value.Type);
            digest.Add((ulong)bytes.Length);
            if (bytes.Length <= 2 * EndBytes)
            {
                Mix(ref digest, bytes.Span);
                continue;
            }
            Mix(ref digest, bytes.Slice(0, EndBytes).Span);
            for (int line = 1; line <= Lines; line++)
                Mix(ref digest, bytes.Slice((bytes.Length - LineBytes) / (Lines + 1) * line, LineBytes).Span);
            Mix(ref digest, bytes.Slice(bytes.Length - EndBytes, EndBytes).Span);
        }
        return digest.Value;
    }

    private static void Mix(ref Fingerprint digest, ReadOnlySpan<byte> bytes)
    {
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
            digest.Add(word);
        Span<byte> rest = stackalloc byte[sizeof(ulong)];
        rest.Clear();
        bytes[^(bytes.Length % sizeof(ulong))..].CopyTo(rest);
        digest.Add(BinaryPrimitives.ReadUInt64LittleEndian(rest));
    }

    private static bool Matters(string key, Recipe recipe, bool otherData, bool otherBase) =>
        // rows that are only evaluated are none of those trained on
        IsIn(key, "data") ? key == "data.order" || (otherData && !IsIn(key, "data.eval"))
        : key is "model.tokenizer" or "model.chat_template" ? otherData
        // another path may hold the same weights; another storage never does
        : IsIn(key, "model") ? otherBase || key.StartsWith("model.quantize", StringComparison.Ordinal)
        : Watching.Contains(key) ? recipe.Training.LrScheduler.Kind == ScheduleKind.ReduceOnPlateau
        : !Free.Any(free => IsIn(key, free));

    private static bool IsIn(string key, string section) => key == section || (key.StartsWith(section, StringComparison.Ordinal) && key[section.Length] == '.');

    private static bool FollowsLength(TrainingOptions training) =>
        training.WarmupRatio is not null || training.LrScheduler.Kind is not (ScheduleKind.Constant or ScheduleKind.InverseSqrt or ScheduleKind.ReduceOnPlateau);
}
