using System.CommandLine;
using System.CommandLine.Parsing;
using Lorikeet.Formats;
using Lorikeet.Inference;
using Lorikeet.Kernels;
using Lorikeet.Models;
using Lorikeet.Nn;
using Lorikeet.Tensors;
using Lorikeet.Training;

namespace Lorikeet.Cli.Commands;

/// <summary><c>lorikeet bench</c>: how fast this machine is, and what share of that the kernels, training and generation reach.</summary>
internal static class BenchCommand
{
    private const string DefaultModel = "random:smollm2-135m";

    /// <summary>The command.</summary>
    public static Command Create(Terminal terminal) => new ExampleCommand("bench", "Measure speed and memory, as shares of what this machine can do.",
        "lorikeet bench gemm\nlorikeet bench train --model random:smollm2-135m --json")
    {
        Gemm(terminal), Gemv(terminal), Attention(terminal), Train(terminal), Prefill(terminal), Decode(terminal),
    };

    private static ExampleCommand Gemm(Terminal terminal)
    {
        Option<string> model = Model();
        const int Most = 1 << 16;
        Option<int?> m = Size("--m", "Rows of the result; with --n and --k one shape in place of all", Most);
        Option<int?> n = Size("--n", "Columns of the result", Most), k = Size("--k", "Length of the sums", Most);
        Option<string> form = new("--form") { Description = "How the factors of that shape lie in memory", DefaultValueFactory = _ => "forward" };
        form.AcceptOneOf("forward", "backward-input", "weight-gradient");
        Option<string> precision = new("--precision") { Description = "How far factors may be rounded before they are multiplied", DefaultValueFactory = _ => "f32" };
        precision.AcceptOneOf("f32", "bf16", "int8");
        Option<string> weights = Stored();
        Option<int[]> threads = Threads();
        Option<int> tokens = Count("--tokens", "Rows of the model's activations", 1024);
        Option<int> rank = Count("--rank", "Rank of the adapter's products", 16);
        ExampleCommand command = new("gemm", "Matrix products: 1024³ and the shapes of a model. Weights of int8 products are interleaved before, as a model's are once.", "lorikeet bench gemm\nlorikeet bench gemm --m 1024 --n 1024 --k 1024 --threads 1")
        {
            model, m, n, k, form, precision, weights, threads, tokens, rank,
        };
        BenchOutput output = new(command);
        Check(command, result =>
        {
            int?[] sizes = [result.GetValue(m), result.GetValue(n), result.GetValue(k)];
            if (sizes.Any(size => size is null) && sizes.Any(size => size is not null))
                result.AddError("--m, --n and --k: all three or none were expected");
            DType second = StorageOf(result.GetRequiredValue(weights));
            if (second.IsBlocked() && (sizes[2] is not { } terms || terms % second.BlockSize() != 0 || result.GetValue(form) != "forward"))
                result.AddError($"--weights {result.GetValue(weights)}: a shape was expected, of the form forward and with a multiple of {second.BlockSize()} as --k");
        });
        command.SetAction(parse =>
        {
            int?[] sizes = [parse.GetValue(m), parse.GetValue(n), parse.GetValue(k)];
            int[] counts = CountsOf(parse, threads);
            DType second = StorageOf(parse.GetRequiredValue(weights));
            GemmPrecision rounding = parse.GetValue(precision) switch { "bf16" => GemmPrecision.BF16, "int8" => GemmPrecision.Int8, _ => GemmPrecision.Single };
            return output.Measure(terminal, parse, report =>
            {
                if (sizes[0] is { } rows)
                {
                    GemmBench.RunOne(report, rows, sizes[1]!.Value, sizes[2]!.Value, parse.GetRequiredValue(form), second, rounding, counts);
                    return;
                }
                using CausalLm shapes = ModelFiles.Find(parse.GetRequiredValue(model)).LoadModel();
                GemmBench.RunModel(report, shapes, parse.GetValue(tokens), parse.GetValue(rank), second, rounding, counts);
            });
        });
        return command;
    }

    private static ExampleCommand Train(Terminal terminal)
    {
        Option<string> model = Model();
        Option<string> method = new("--method") { Description = "What is trained", DefaultValueFactory = _ => "lora" };
        method.AcceptOneOf("lora", "full");
        Option<int> rank = Count("--rank", "LoRA's rank, on all linear layers", 16), batch = Count("--batch", "Rows of a batch", 4);
        Option<int> length = Count("--seq", "Tokens of a row", 256, least: 2, why: "; the first token has none before it"), steps = Count("--steps", "Steps, the first of which is not counted", 6, least: 2, why: "; the first is not counted");
        Option<string> precision = new("--precision") { Description = "How products are computed", DefaultValueFactory = _ => "f32" };
        precision.AcceptOneOf("f32", "bf16", "auto");
        Option<string?> activations = new("--activations") { Description = "What activations are kept in between forward and backward pass; by default as --precision" };
        activations.AcceptOneOf("f32", "bf16", "auto");
        Option<string?> memory = new("--memory") { Description = $"The memory that a step may take at most: {MemorySize.Examples}" };
        memory.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: { Length: > 0 } budget }] && MemorySize.Parse(budget) is null)
                result.AddError($"--memory: found {budget}, expected a size: {MemorySize.Examples}");
        });
        Option<string?> weights = Weights(), embeddings = Embeddings();
        Option<bool> checkpointing = new("--checkpointing") { Description = "Compute activations again in the backward pass" };
        Option<string> optimizer = new("--optimizer") { Description = "How AdamW keeps its moments", DefaultValueFactory = _ => "adamw" };
        optimizer.AcceptOneOf([.. OptimizerKind.Names]);
        Option<bool> inBackward = new("--optimizer-in-backward") { Description = "Move weights inside the backward pass, block by block, without clipping" };
        ExampleCommand command = new("train", "Training steps on random tokens: time, memory, useful operations, managed allocation.",
            "lorikeet bench train --model random:smollm2-135m --method lora --rank 16 --batch 4 --seq 256 --steps 6 --json")
        {
            model, method, rank, batch, length, precision, activations, weights, embeddings, steps, checkpointing, memory, optimizer, inBackward,
        };
        BenchOutput output = new(command);
        Check(command, result =>
        {
            bool full = result.GetValue(method) == "full";
            if (result.GetValue(inBackward) && !full)
                result.AddError("--optimizer-in-backward: --method full was expected; the gradients of an adapter take little memory");
            foreach (Option<string?> option in (Option<string?>[])[weights, embeddings])
            {
                if (full && result.GetValue(option) is { } storage and not "f32")
                    result.AddError($"{option.Name} {storage}: full fine-tuning trains the matrices themselves in f32, which cannot stay in another storage; leave it out, or train an adapter (--method lora)");
            }
            int tokens = result.GetValue(length), rows = result.GetValue(batch);
            if ((long)rows * tokens > int.MaxValue)
                result.AddError($"--batch {rows} and --seq {tokens}: at most {int.MaxValue} tokens together were expected");
            int context = FactsOf(result.GetRequiredValue(model)).ContextLength;
            if (tokens > context)
                result.AddError($"--seq {tokens}: {result.GetValue(model)} sees {context} tokens");
        });
        command.SetAction(parse =>
        {
            int count = parse.GetValue(steps), tokens = parse.GetValue(length);
            string name = parse.GetRequiredValue(model);
            return output.Measure(terminal, parse, report => new TrainBench(name, parse.GetRequiredValue(method),
                parse.GetValue(rank), parse.GetValue(batch), tokens, count, parse.GetValue(checkpointing), Storage(parse.GetValue(weights), parse.GetValue(embeddings)),
                PrecisionOf(parse.GetValue(precision)) ?? Precision.F32, parse.GetRequiredValue(optimizer), parse.GetValue(inBackward),
                PrecisionOf(parse.GetValue(activations)), parse.GetValue(memory)).Run(report));
        });
        return command;

        static Precision? PrecisionOf(string? name) => name switch { "f32" => Precision.F32, "bf16" => Precision.BF16, "auto" => Precision.Auto, _ => null };
    }

    private static ExampleCommand Prefill(Terminal terminal)
    {
        Option<string> model = Model();
        Option<int> streams = Count("--streams", "Prompts that are read at the same time", 1), tokens = Count("--tokens", "Tokens of each", 512);
        Option<string?> weights = Weights(), embeddings = Embeddings();
        Option<string> precision = PrecisionOption.Create();
        Option<int> chunk = PrefillChunkOption.Create();
        ExampleCommand command = new("prefill", "Reading prompts.", "lorikeet bench prefill --model random:smollm2-135m --tokens 512")
        {
            model, streams, tokens, weights, embeddings, precision, chunk,
        };
        BenchOutput output = new(command);
        Check(command, result =>
        {
            int context = FactsOf(result.GetRequiredValue(model)).ContextLength;
            if (result.GetValue(tokens) >= context)
                result.AddError($"--tokens {result.GetValue(tokens)}: {result.GetValue(model)} sees {context}, and one token is written behind each prompt");
        });
        command.SetAction(parse =>
        {
            string name = parse.GetRequiredValue(model);
            return output.Measure(terminal, parse, report => DecodeBench.Prefill(report, name, parse.GetValue(streams), parse.GetValue(tokens), parse.GetValue(chunk),
                Storage(parse.GetValue(weights), parse.GetValue(embeddings)), PrecisionOption.Read(parse, precision)));
        });
        return command;
    }

    private static ExampleCommand Decode(Terminal terminal)
    {
        Option<string> model = Model();
        Option<int> streams = Count("--streams", "Texts that are written at the same time", 1), tokens = Count("--tokens", "Tokens of each", 64, least: 2, why: ", for allocation is measured over each half of them");
        Option<int> context = Count("--context", "Tokens of each prompt", 32);
        Option<string?> weights = Weights(), embeddings = Embeddings();
        Option<string> precision = PrecisionOption.Create(), kvCache = KvCacheOption.Create();
        Option<int> chunk = PrefillChunkOption.Create();
        ExampleCommand command = new("decode", "Writing text, one token after another.", "lorikeet bench decode --model random:smollm2-135m:bf16 --streams 1 --tokens 64")
        {
            model, streams, tokens, context, weights, embeddings, precision, kvCache, chunk,
        };
        BenchOutput output = new(command);
        Check(command, result =>
        {
            int most = FactsOf(result.GetRequiredValue(model)).ContextLength;
            long needed = DecodeBench.TokensOf(result.GetValue(streams), result.GetValue(tokens), result.GetValue(context), result.GetValue(chunk));
            if (needed >= most)
                result.AddError($"--tokens {result.GetValue(tokens)}: with the prompt and the warm-up the texts have {needed} tokens, and {result.GetValue(model)} sees {most}");
        });
        command.SetAction(parse =>
        {
            string name = parse.GetRequiredValue(model);
            return output.Measure(terminal, parse, report => DecodeBench.Decode(report, name, parse.GetValue(streams), parse.GetValue(tokens), parse.GetValue(context), parse.GetValue(chunk),
                Storage(parse.GetValue(weights), parse.GetValue(embeddings)), PrecisionOption.Read(parse, precision), KvCacheOption.Read(parse, kvCache)));
        });
        return command;
    }

    private static ExampleCommand Gemv(Terminal terminal)
    {
        Option<string> model = Model();
        Option<int[]> m = new("--m") { Description = "Rows, up to 16; may be repeated. By default 1, 4, 8 and 16", AllowMultipleArgumentsPerToken = true };
        m.AcceptBetween(1, 16, "; more rows are what gemm measures");
        Option<int?> n = Size("--n", "Columns of the result; with --k one shape in place of the model's", 1 << 20), k = Size("--k", "Length of the sums", 1 << 20);
        Option<string> weights = Stored(), precision = PrecisionOption.Create();
        Option<int[]> threads = Threads();
        ExampleCommand command = new("gemv", "Products of few rows, as in writing text, with weights that no cache holds.", "lorikeet bench gemv --weights q4_0 --precision int8\nlorikeet bench gemv --m 1 8 --n 5632 --k 2048 --weights nf4-dq --threads 2")
        {
            model, m, n, k, weights, precision, threads,
        };
        BenchOutput output = new(command);
        Check(command, result =>
        {
            (int? columns, int? terms) = (result.GetValue(n), result.GetValue(k));
            if (columns is null != terms is null)
                result.AddError("--n and --k: both or none were expected");
            DType stored = StorageOf(result.GetRequiredValue(weights));
            if (terms % stored.BlockSize() is > 0)
                result.AddError($"--k {terms}: a multiple of {stored.BlockSize()} was expected, for a row is whole blocks of {WeightStorage.NameOf(stored)}");
        });
        command.SetAction(parse =>
        {
            int[] rows = parse.GetValue(m) is { Length: > 0 } given ? given : [1, 4, 8, 16];
            (int? columns, int? terms) = (parse.GetValue(n), parse.GetValue(k));
            DType stored = StorageOf(parse.GetRequiredValue(weights));
            int[] counts = CountsOf(parse, threads);
            return output.Measure(terminal, parse, report =>
            {
                (int N, int K)[] shapes = columns is { } one ? [(one, terms!.Value)] : ShapesOf(parse.GetRequiredValue(model), stored);
                GemvBench.Run(report, shapes, rows, stored, PrecisionOption.Read(parse, precision), counts);
            });
        });
        return command;
    }

    private static (int N, int K)[] ShapesOf(string model, DType stored)
    {
        using CausalLm loaded = ModelFiles.Find(model).LoadModel();
        (int N, int K)[] shapes = [.. GemvBench.ShapesOf(loaded).Where(shape => shape.K % stored.BlockSize() == 0)];
        return shapes.Length > 0 ? shapes : throw new InputException($"{model}: no layer has a multiple of {stored.BlockSize()} inputs, which whole blocks of {WeightStorage.NameOf(stored)} need; choose another --model, or give --n and --k");
    }

    private static ExampleCommand Attention(Terminal terminal)
    {
        Option<string[]> forms = new("--form") { Description = "forward and backward (training), prefill, decode; may be repeated. By default all", AllowMultipleArgumentsPerToken = true };
        forms.AcceptOneOf([.. AttentionBench.Forms.Select(known => known.Name)]);
        Option<int> batch = Count("--batch", "Sequences together", 4), length = Count("--length", "Tokens of each", 512);
        Option<int> heads = Count("--heads", "Query heads", 9), kvHeads = Count("--kv-heads", "Key and value heads", 3), dimensions = Count("--head-dim", "Dimensions of a head", 64, most: 1024);
        Option<int[]> threads = Threads();
        ExampleCommand command = new("attention", "Attention: forward, backward, over a prompt, and of one token of each text.", "lorikeet bench attention\nlorikeet bench attention --form decode --batch 8 --length 4096 --heads 32 --kv-heads 8")
        {
            forms, batch, length, heads, kvHeads, dimensions, threads,
        };
        BenchOutput output = new(command);
        Check(command, result =>
        {
            (int queries, int keys, int sequences, int tokens) = (result.GetValue(heads), result.GetValue(kvHeads), result.GetValue(batch), result.GetValue(length));
            if (keys > 0 && queries % keys != 0)
                result.AddError($"--heads {queries}: a multiple of the {keys} key heads was expected");
            if ((long)sequences * tokens > 1 << 20)
                result.AddError($"--batch {sequences} and --length {tokens}: at most {1 << 20} tokens together were expected");
        });
        command.SetAction(parse =>
        {
            AttentionBench bench = new(parse.GetValue(batch), parse.GetValue(length), parse.GetValue(heads), parse.GetValue(kvHeads), parse.GetValue(dimensions));
            int[] counts = CountsOf(parse, threads);
            return output.Measure(terminal, parse, report => bench.Run(report, parse.GetValue(forms) is { Length: > 0 } given ? given : [.. AttentionBench.Forms.Select(known => known.Name)], counts));
        });
        return command;
    }

    // what several options together have wrong is told beside what each has wrong alone: a command's own validators would end the parser's work, and know no defaults yet
    private static void Check(Command command, Action<SymbolResult> check) => command.Options.Single(option => option.Name == BenchOutput.Last).Validators.Add(result =>
    {
        try
        {
            check(result);
        }
        catch (Exception e) when (e is InvalidOperationException or InputException)
        {
            // a value that is none, or a model: its option has told of it
        }
    });

    // what the model's configuration says, before its weights are made or read
    private static ModelFacts FactsOf(string model) => ModelLoader.FactsOf(ModelFiles.Find(model).Path);

    private static Option<string> Model()
    {
        Option<string> option = new("--model") { Description = "A model; random:NAME[:bf16] needs no download", DefaultValueFactory = _ => DefaultModel };
        // looked for together with all other options, so that its problem stands among theirs
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: { Length: > 0 } model }])
                return;
            try
            {
                FactsOf(model);
            }
            catch (InputException e)
            {
                result.AddError($"--model {e.Message}");
            }
        });
        return option;
    }

    private static Option<string?> Weights()
    {
        Option<string?> option = new("--weights") { Description = "Turns the model's matrices into this storage in memory first" };
        option.AcceptOneOf([.. WeightStorage.Names]);
        return option;
    }

    private static Option<string?> Embeddings()
    {
        Option<string?> option = new("--embeddings") { Description = "Storage of the table of embeddings and the head, which nf4, fp4 and int8 leave alone" };
        option.AcceptOneOf([.. WeightStorage.Names]);
        return option;
    }

    private static ModelStorage? Storage(string? matrices, string? embeddings) => matrices is null && embeddings is null ? null : new ModelStorage(Parsed(matrices), Parsed(embeddings));

    private static DType? Parsed(string? name) => name is null ? null : WeightStorage.Parse(name);

    // every storage that products read, also those that nothing here writes
    private static Option<string> Stored()
    {
        Option<string> option = new("--weights") { Description = "Storage of the second factor", DefaultValueFactory = _ => "f32" };
        option.AcceptOneOf([.. Storages.Select(WeightStorage.NameOf)]);
        return option;
    }

    private static DType StorageOf(string name) => Storages.First(type => WeightStorage.NameOf(type) == name);

    private static IEnumerable<DType> Storages =>
        Enum.GetValues<DType>().Where(type => type is DType.F32 or DType.F16 or DType.BF16 || (type.IsBlocked() && BlockFormats.CanDequantize(type)));

    private static Option<int[]> Threads()
    {
        Option<int[]> option = new("--threads") { Description = "How many threads; may be repeated. By default 1 and all", AllowMultipleArgumentsPerToken = true };
        option.AcceptBetween(1, ComputePool.MaxThreads);
        return option;
    }

    private static int[] CountsOf(ParseResult parse, Option<int[]> threads) =>
        parse.GetValue(threads) is { Length: > 0 } given ? given : [.. new[] { 1, ComputePool.Threads }.Distinct()];

    private static Option<int> Count(string name, string description, int fallback, int least = 1, int most = 1 << 20, string why = "")
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => fallback };
        option.AcceptBetween(least, most, why);
        return option;
    }

    private static Option<int?> Size(string name, string description, int most)
    {
        Option<int?> option = new(name) { Description = description };
        option.AcceptBetween(1, most);
        return option;
    }
}
