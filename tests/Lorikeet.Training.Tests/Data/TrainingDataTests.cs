using Lorikeet.Tensors;
using Lorikeet.Text;

namespace Lorikeet.Training.Tests;

public sealed class TrainingDataTests : IDisposable
{
    private static readonly Tokenizer Bytes = ByteTokenizer.Create(withBegin: false);
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-data").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Files_are_read_reported_and_cut()
    {
        string rows = Written("rows.jsonl", """
            {"prompt": "aa", "completion": "b"}
            {"prompt": "aaaaaaaa", "completion": "b"}
            {"prompt": "aaa", "completion": "bbbbbb"}
            """);
        TrainingData data = Load(new DataOptions { Train = [new DataSource { Path = rows }], MaxLength = 6 });
        data.Train.Count.ShouldBe(2);
        data.Train.Lengths.ToArray().ShouldBe([4, 6]);
        data.Train.TargetTokens.ShouldBe(5);
        data.Eval.ShouldBeNull();
        data.Files.ShouldHaveSingleItem().ToString().ShouldBe(
            $"{rows}: 3 rows of prompt and completion, from JSON lines; 10 tokens, 5 of them counted in the loss, the longest row 10; 2 longer than max_length, cut at the end; 1 left out with nothing to learn");
        data.Samples.Count.ShouldBe(2);

        Load(new DataOptions { Train = [new DataSource { Path = rows }], MaxLength = 6, Truncation = Truncation.Drop }).Files[0].ToString()
            .ShouldEndWith("2 longer than max_length, left out");
        Load(new DataOptions { Train = [new DataSource { Path = rows }], MaxLength = 6, Truncation = Truncation.KeepEnd }).Train.Count.ShouldBe(3);
    }

    [Fact]
    public void Too_long_rows_stop_the_run_where_asked()
    {
        string rows = Written("rows.jsonl", """{"prompt": "aa", "completion": "bbbb"}""" + "\n" + """{"prompt": "aa", "completion": "b"}""");
        Should.Throw<InputException>(() => Load(new DataOptions { Train = [new DataSource { Path = rows }], MaxLength = 4, Truncation = Truncation.Refuse }))
            .Problems.ShouldHaveSingleItem().ShouldContain("rows.jsonl:1: found a row of 7 tokens, expected at most 4");
    }

    [Fact]
    public void Running_text_is_divided_and_not_lost()
    {
        string text = Written("book.txt", new string('x', 99));
        TrainingData data = Load(new DataOptions { Train = [new DataSource { Path = text }], MaxLength = 30 });
        data.Train.Lengths.ToArray().ShouldBe([30, 30, 30, 10]);
        data.Files[0].ToString().ShouldContain("1 row of running text; 100 tokens, 96 of them counted");
        data.Files[0].ToString().ShouldContain("1 longer than max_length, divided");
        Load(new DataOptions { Train = [new DataSource { Path = text }], MaxLength = 30, Packing = Packing.Wrapped }).Train.Lengths.ToArray().ShouldBe([30, 30, 30, 10]);
    }

    [Fact]
    public void Some_rows_are_held_out_the_same_ones_each_time()
    {
        string rows = Written("rows.txt", string.Join('\n', Enumerable.Range(100, 50)));
        DataOptions options = new() { Train = [new DataSource { Path = rows, SplitBy = TextUnit.Line }], EvalFraction = 0.1 };
        TrainingData data = Load(options), again = Load(options), other = Load(options with { SplitSeed = 1 });
        (data.Train.Count, data.Eval!.Count).ShouldBe((45, 5));
        again.Eval!.Fingerprint.ShouldBe(data.Eval.Fingerprint);
        other.Eval!.Fingerprint.ShouldNotBe(data.Eval.Fingerprint);
        Enumerable.Range(0, 45).Select(i => Line(data.Train, i)).Concat(Enumerable.Range(0, 5).Select(i => Line(data.Eval, i))).Order()
            .ShouldBe(Enumerable.Range(100, 50).Select(n => n.ToString()));
        data.Samples.Cast<TextRow>().Select(row => row.Text).ShouldBe(Enumerable.Range(0, 5).Select(i => Line(data.Eval, i)));
        Should.Throw<InputException>(() => Load(options with { Train = [options.Train[0] with { Limit = 1 }] })).Message.ShouldContain("found 1 usable row, expected at least two");
    }

    [Fact]
    public void Problems_of_all_files_come_together()
    {
        string a = Written("a.jsonl", """{"text": 1}"""), b = Written("b.jsonl", "{"), c = Written("c.jsonl", "");
        IReadOnlyList<string> problems = Should.Throw<InputException>(() => Load(new DataOptions
        {
            Train = [new DataSource { Path = a }, new DataSource { Path = b }], Eval = [new DataSource { Path = c }, new DataSource { Path = Path.Combine(_folder, "none.jsonl") }], MaxLength = 5000,
        })).Problems;
        problems.Count.ShouldBe(5);
        problems[0].ShouldContain("data.max_length: found 5000, expected at most the 1000 tokens");
        problems[1].ShouldContain("a.jsonl:1: text: found a number");
        problems[2].ShouldContain("b.jsonl:1: not JSON");
        problems[3].ShouldContain("c.jsonl: the file is empty");
        problems[4].ShouldContain("none.jsonl: cannot be read");
    }

    [Fact]
    public void Data_that_leaves_nothing_to_learn_is_explained()
    {
        string rows = Written("rows.jsonl", """{"prompt": "aaaaaaaaaaaa", "completion": "b"}""");
        Should.Throw<InputException>(() => Load(new DataOptions { Train = [new DataSource { Path = rows }], MaxLength = 6 }))
            .Problems.ShouldHaveSingleItem().ShouldContain("has a token to learn. Rows are cut to 6 tokens; raise data.max_length");
    }

    [Fact]
    public void The_limit_of_length_is_the_models_where_the_recipe_names_none() =>
        Load(new DataOptions { Train = [new DataSource { Path = Written("a.txt", new string('x', 1500)) }] }).Train.Lengths.ToArray().ShouldBe([1000, 501]);

    [Fact]
    public void The_real_run_gets_the_tokens_of_the_reference()
    {
        // reference: 2,400 rows, eight a batch in file order; 149,679 tokens without padding
        Tokenizer tokenizer = Tokenizer.Load(GoldenData.Shared("tok-smollm2"));
        DataSource source = new()
        {
            Path = GoldenData.Shared("ds-e2e-lora", "valid.txt"), Separator = "||", Fields = ["context", "completion"], Strip = true,
            Prompt = "{context} ->", Completion = " {completion}", Limit = 2400,
        };
        DataOptions options = new()
        {
            Train = [source], Order = RowOrder.File,
            Eval = [source with { Path = GoldenData.Shared("ds-e2e-lora", "test.txt"), Every = 40, Limit = 100 }],
        };
        TrainingData data = TrainingData.Load(options, new ExampleEncoder(tokenizer, null, tokenizer.IdOf("<|im_end|>")!.Value, null), 2048);
        data.Train.Count.ShouldBe(2400);
        data.Eval!.Count.ShouldBe(100);
        data.Train.Tokens.ShouldBe(149_679);
        new BatchLoader(data.Train, 8, 1, options.Order, 0).StepsPerEpoch.ShouldBe(300);
    }

    private static TrainingData Load(DataOptions options) => TrainingData.Load(options, new ExampleEncoder(Bytes, null, ByteTokenizer.End, null), contextLength: 1000);

    private static string Line(ExampleSet set, int item) => Bytes.Decode(set[item][0].Ids, skipSpecial: true);

    private string Written(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
