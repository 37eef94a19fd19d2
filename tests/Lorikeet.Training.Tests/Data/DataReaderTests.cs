using System.Text;

namespace Lorikeet.Training.Tests;

public sealed class DataReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lorikeet-data").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a.jsonl", """{"prompt": "P", "completion": "C"}""", "prompt and completion, from JSON lines", "P|C")]
    [InlineData("a.jsonl", """{"text": "T", "id": 4}""", "text, from JSON lines", "T")]
    [InlineData("a.json", """[{"text": "T"}]""", "text, from a JSON list", "T")]
    [InlineData("a.json", """{"text": "T"}""", "text, from JSON lines", "T")]
    [InlineData("a.csv", "text,n\n\"T, \"\"U\"\"\nV\",1\n", "text, from a table divided by commas", "T, \"U\"\nV")]
    [InlineData("a.tsv", "prompt\tcompletion\nP\tC\n", "prompt and completion, from a table divided by tabs", "P|C")]
    [InlineData("a.jsonl", """{"instruction": "I", "input": "", "output": "O"}""", "instruction and output, under plain headings, from JSON lines", "### Instruction:\nI\n\n### Response:\n|O")]
    [InlineData("a.jsonl", """{"instruction": "I", "input": "X", "output": "O", "text": "T"}""", "instruction and output, under plain headings, from JSON lines",
        "### Instruction:\nI\n\n### Input:\nX\n\n### Response:\n|O")]
    [InlineData("a.jsonl", """{"messages": [{"role": "user", "content": "U"}, {"role": "assistant", "content": "A"}]}""", "chats (messages with role and content), from JSON lines",
        """[{"role":"user","content":"U"},{"role":"assistant","content":"A"}]""")]
    [InlineData("a.jsonl", """{"conversations": [{"from": "human", "value": "U"}, {"from": "gpt", "value": "A"}], "system": "S"}""", "chats (conversations with from and value), from JSON lines",
        """[{"role":"system","content":"S"},{"role":"user","content":"U"},{"role":"assistant","content":"A"}]""")]
    [InlineData("a.jsonl", """{"conversations": [{"role": "user", "content": "U"}, {"role": "assistant", "content": "A", "weight": 0}, {"role": "assistant", "content": "B"}]}""",
        "chats (conversations with role and content), from JSON lines",
        """[{"role":"user","content":"U"},{"role":"assistant","content":"A","weight":0},{"role":"assistant","content":"B"}]""")]
    [InlineData("a.jsonl", """{"prompt": [{"role": "user", "content": "U"}], "completion": [{"role": "assistant", "content": "A"}]}""", "prompt and completion, from JSON lines",
        """[{"role":"user","content":"U"},{"role":"assistant","content":"A"}] after 1""")]
    public void Usual_forms_are_recognised(string name, string content, string description, string row)
    {
        (DataReader reader, DataRow[] rows, ProblemList problems) = Read(new DataSource { Path = Written(name, content) });
        problems.Lines.ShouldBeEmpty();
        reader.Description.ShouldBe(description);
        Describe(rows.ShouldHaveSingleItem()).ShouldBe(row);
    }

    [Fact]
    public void Instructions_become_turns_where_the_model_has_a_chat_template()
    {
        string path = Written("a.jsonl", """{"instruction": "I", "input": "X", "output": "O", "system": "S", "history": [["a", "b"]]}""");
        (DataReader reader, DataRow[] rows, _) = Read(new DataSource { Path = path }, hasChatTemplate: true);
        reader.Description.ShouldStartWith("instruction and output, as turns of a chat");
        Describe(rows[0]).ShouldBe("""[{"role":"system","content":"S"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"I\n\nX"},{"role":"assistant","content":"O"}]""");
        Read(new DataSource { Path = path }).Problems.Lines.ShouldHaveSingleItem().ShouldContain("needs a chat template");
    }

    [Fact]
    public void Calls_of_functions_and_tools_are_read_from_the_form_of_conversations()
    {
        string path = Written("a.jsonl", """
            {"conversations": [{"from": "human", "value": "U"}, {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"}, {"from": "observation", "value": "R"}, {"from": "gpt", "value": "A"}], "tools": "[{\"name\": \"f\"}]"}
            """);
        ChatRow chat = Read(new DataSource { Path = path }).Rows.ShouldHaveSingleItem().ShouldBeOfType<ChatRow>();
        chat.Messages.ToJsonString().ShouldBe("""[{"role":"user","content":"U"},{"role":"assistant","content":"","tool_calls":[{"type":"function","function":{"name":"f","arguments":{"x":1}}}]},{"role":"tool","content":"R"},{"role":"assistant","content":"A"}]""");
        chat.Tools!.ToJsonString().ShouldBe("""[{"type":"function","function":{"name":"f"}}]""");
    }

    [Fact]
    public void Templates_make_rows_of_any_fields()
    {
        string path = Written("a.jsonl", """{"question": " Q ", "answer": 4, "unused": [1]}""");
        (DataReader reader, DataRow[] rows, _) = Read(new DataSource { Path = path, Prompt = "{{{question}}} =", Completion = " {answer}", Strip = true });
        Describe(rows[0]).ShouldBe("{Q} =| 4");
        reader.Description.ShouldBe("prompt and completion made from question, answer, from JSON lines");
        Describe(Read(new DataSource { Path = path, Text = "{question}-{answer}" }).Rows[0]).ShouldBe(" Q -4");
        Describe(Read(new DataSource { Path = path, Prompt = "{question}", Completion = "{answer}", AsChat = true }).Rows[0])
            .ShouldBe("""[{"role":"user","content":" Q "},{"role":"assistant","content":"4"}]""");
    }

    [Fact]
    public void Lines_are_divided_by_a_separator()
    {
        string path = Written("a.txt", "name : X ||A x . \r\n\r\nname : Y||B\n");
        (DataReader reader, DataRow[] rows, _) = Read(new DataSource
        {
            Path = path, Separator = "||", Fields = ["context", "completion"], Prompt = "{context} ->", Completion = " {completion}", Strip = true,
        });
        rows.Select(Describe).ShouldBe(["name : X ->| A x .", "name : Y ->| B"]);
        rows[1].Origin.ToString().ShouldEndWith("a.txt:3");
        reader.Description.ShouldBe("prompt and completion made from context, completion, from lines divided by '||'");
        Read(new DataSource { Path = path, Separator = "||" }).Rows.Select(Describe).ShouldBe(["name : X |A x . ", "name : Y|B"]);
        Read(new DataSource { Path = path, Separator = " : " }).Problems.Lines.ShouldBeEmpty();
        Read(new DataSource { Path = path, Separator = "|" }).Problems.Lines.Count.ShouldBe(2);
    }

    [Fact]
    public void Running_text_is_one_row_or_paragraphs_or_lines()
    {
        string path = Written("a.md", "\none\r\ntwo\n\n\nthree\n");
        Read(new DataSource { Path = path }).Rows.Select(Describe).ShouldBe(["\none\ntwo\n\n\nthree"]);
        DataRow[] paragraphs = Read(new DataSource { Path = path, SplitBy = TextUnit.Paragraph }).Rows;
        paragraphs.Select(Describe).ShouldBe(["one\ntwo", "three"]);
        paragraphs.Select(row => row.Origin.Line).ShouldBe([2, 6]);
        Read(new DataSource { Path = path, SplitBy = TextUnit.Line }).Rows.Select(Describe).ShouldBe(["one", "two", "three"]);
    }

    [Fact]
    public void A_part_of_the_rows_is_chosen()
    {
        string path = Written("a.txt", string.Join('\n', Enumerable.Range(0, 100)));
        Read(new DataSource { Path = path, SplitBy = TextUnit.Line, Skip = 1, Every = 40, Limit = 2 }).Rows.Select(Describe).ShouldBe(["1", "41"]);
        Read(new DataSource { Path = path, SplitBy = TextUnit.Line, Skip = 100 }).Problems.Lines.ShouldHaveSingleItem().ShouldContain("found no rows after the 100 that are skipped");
    }

    [Fact]
    public void Every_broken_row_is_reported_with_its_line()
    {
        string path = Written("a.jsonl", """
            {"prompt": "P", "completion": "C"}
            {"prompt": "P", "completion": }
            {"prompt": "P"}

            {"prompt": 5, "completion": null}
            [1]
            {"prompt": "P", "prompt": "Q", "completion": "C"}
            {"promt": "P", "completion": "C"}
            {"prompt": "P", "completion": "D"}
            """);
        (_, DataRow[] rows, ProblemList problems) = Read(new DataSource { Path = path });
        rows.Select(Describe).ShouldBe(["P|C", "P|D"]);
        problems.Lines.Select(line => line[(line.IndexOf("a.jsonl", StringComparison.Ordinal))..]).ShouldBe([
            "a.jsonl:2: not JSON at byte 31: '}' is an invalid start of a value.",
            "a.jsonl:3: no field 'completion'; found prompt.",
            "a.jsonl:5: prompt: found a number, expected a text.",
            "a.jsonl:5: completion: found null, expected a text.",
            "a.jsonl:6: found a list, expected an object with fields.",
            "a.jsonl:7: not JSON: Duplicate property 'prompt'.",
            "a.jsonl:8: no field 'prompt'; found promt, completion. Did you mean promt?",
        ]);
    }

    [Fact]
    public void Many_problems_are_counted_and_the_first_are_shown()
    {
        string path = Written("a.jsonl", string.Join('\n', Enumerable.Repeat("{", 1000)));
        ProblemList problems = Read(new DataSource { Path = path }).Problems;
        problems.Count.ShouldBe(1000);
        problems.Lines.Count.ShouldBe(20);
        string[] told = Should.Throw<Tensors.InputException>(() => problems.ThrowIfAny("rows")).Message.Split('\n');
        told.Length.ShouldBe(22);
        told[^1].ShouldBe("  - … and 980 more");
    }

    [Theory]
    [InlineData("a.jsonl", """{"prompt": "a \ud800 b", "completion": "c"}""", "a.jsonl:1: found \\ud800, half of a character")]
    [InlineData("a.jsonl", "{\"text\": \"\\ud83d\\ude00 \\\\ud800\"}\n{\"a\\uDE00\": \"b\"}", "a.jsonl:2: found \\uDE00, half of a character")]
    [InlineData("a.json", """[{"text": "\ud83d\u0041"}]""", "a.json:1: found \\ud83d, half of a character")]
    [InlineData("a.jsonl", "", "the file is empty")]
    [InlineData("a.jsonl", "\n\n", "found no rows")]
    [InlineData("a.csv", "a,b\n", "found no rows")]
    [InlineData("a.json", "[]", "found no rows")]
    [InlineData("a.json", "[{\"text\": \"a\"},\n{\"text\": }]", "a.json:2: not a JSON list")]
    [InlineData("a.json", "[{\"text\": \"a\"},\n\n5]", "a.json:3: found a number")]
    [InlineData("a.json", "[{\"text\": \"a\"}", "a.json:1: not a JSON list")]
    [InlineData("a.json", "{\n\"rows\": []\n}", "A line must hold a whole object")]
    [InlineData("a.csv", "prompt;completion\nP;C\n", "found one column 'prompt;completion'")]
    [InlineData("a.csv", "text,text\na,b\n", "the column 'text' twice")]
    [InlineData("a.csv", "text,n\na,b,c\n", "a.csv:2: found another number of fields than the 2")]
    [InlineData("a.csv", "text,n\na,b\nc,\"d\n", "a.csv:3: found a quote that is never closed")]
    [InlineData("a.csv", "text,n\na,b\"c\"\n", "a.csv:2: found a quote in the middle of a field")]
    [InlineData("a.jsonl", """{"question": "q", "answer": "a"}""", "found the fields question, answer, expected messages")]
    [InlineData("a.jsonl", """{"messages": []}""", "found no messages")]
    [InlineData("a.jsonl", """{"messages": [5]}""", "message 1: found a number")]
    [InlineData("a.jsonl", """{"messages": [{"role": "user", "content": "U"}]}""", "no message of the assistant; found user")]
    [InlineData("a.jsonl", """{"messages": [{"role": "asistant", "content": "U"}]}""", "found 'asistant', expected one of system, user, assistant, tool, developer, human, gpt, function_call, observation. Did you mean assistant?")]
    [InlineData("a.jsonl", """{"messages": [{"role": "assistant", "contents": "U"}]}""", "message 1: content: found no such field")]
    [InlineData("a.jsonl", """{"messages": [{"role": "assistant", "content": null}]}""", "content: found null")]
    [InlineData("a.jsonl", """{"messages": [{"content": "U"}]}""", "role: found no such field")]
    [InlineData("a.jsonl", """{"conversations": [{"from": "function_call", "value": "f()"}]}""", "function_call that is not JSON")]
    [InlineData("a.jsonl", """{"messages": [{"role": "assistant", "content": "U"}], "tools": "x"}""", "tools: found a text that is not JSON")]
    public void What_cannot_be_used_is_explained(string name, string content, string problem) =>
        string.Join('\n', Read(new DataSource { Path = Written(name, content) }).Problems.Lines).ShouldContain(problem);

    [Theory]
    [InlineData("a.jsonl", new byte[] { 0xFF, 0xFE, 0x41, 0 }, "UTF-16 text")]
    [InlineData("a.jsonl", new byte[] { 0x1F, 0x8B, 8, 0 }, "a gzip archive")]
    [InlineData("a.jsonl", new byte[] { (byte)'P', (byte)'A', (byte)'R', (byte)'1' }, "a Parquet file")]
    [InlineData("a.txt", new byte[] { (byte)'a', (byte)'\n', (byte)'b', 0xE9, (byte)'c' }, "a.txt:2: found bytes that are not UTF-8 at byte 2 of the line")]
    [InlineData("a.csv", new byte[] { (byte)'a', (byte)'\n', (byte)'b', 0xE9, (byte)'c' }, "a.csv:2: found bytes that are not UTF-8")]
    [InlineData("a.json", new byte[] { (byte)'[', (byte)'"', 0xE9, (byte)'"', (byte)']' }, "a.json:1: found bytes that are not UTF-8")]
    public void Files_that_are_not_text_are_explained(string name, byte[] content, string problem)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        Read(new DataSource { Path = path }).Problems.Lines.ShouldHaveSingleItem().ShouldContain(problem);
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_text()
    {
        foreach (string name in new[] { "a.jsonl", "a.json", "a.csv" })
        {
            string path = Path.Combine(_folder, name);
            File.WriteAllText(path, name == "a.csv" ? "text\nT\n" : name == "a.json" ? """[{"text":"T"}]""" : """{"text":"T"}""", new UTF8Encoding(true));
            Describe(Read(new DataSource { Path = path }).Rows.ShouldHaveSingleItem()).ShouldBe("T");
        }
    }

    [Fact]
    public void Lines_longer_than_any_buffer_are_whole()
    {
        string[] lines = [.. Enumerable.Range(0, 40).Select(n => new string((char)('a' + n % 26), n * n * n * 5))];
        string path = Written("a.txt", string.Join('\n', lines));
        Utf8Lines.Read(path, new ProblemList()).Select(line => line.Text).SequenceEqual(lines).ShouldBeTrue();
        Utf8Lines.Read(path, new ProblemList()).Select(line => line.Line).ShouldBe(Enumerable.Range(1, 40));
    }

    [Fact]
    public void A_row_of_a_table_knows_its_line_after_fields_of_several_lines()
    {
        string path = Written("a.csv", "text\n\"a\nb\"\n\nc\n");
        Read(new DataSource { Path = path }).Rows.Select(row => row.Origin.Line).ShouldBe([2, 5]);
    }

    [Fact]
    public void Damaged_files_never_crash_the_reader()
    {
        byte[] good = Encoding.UTF8.GetBytes("""
            [{"messages": [{"role": "user", "content": "U\u00e9"}, {"role": "assistant", "content": "A", "tool_calls": [{"x": 1}]}], "tools": [{"name": "f"}]},
            {"conversations": [{"from": "human", "value": "U"}, {"from": "gpt", "value": "A"}]}]
            """);
        Random random = new(3);
        foreach (string name in new[] { "a.json", "a.jsonl", "a.csv", "a.txt" })
        {
            string path = Path.Combine(_folder, name);
            for (int round = 0; round < 250; round++)
            {
                byte[] bytes = [.. good];
                for (int i = 0; i < 1 + round % 5; i++)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                File.WriteAllBytes(path, bytes.AsSpan(0, random.Next(1, bytes.Length + 1)));
                Read(new DataSource { Path = path });
            }
        }
    }

    [Theory]
    [InlineData("ds-gsm8k", "train.jsonl", 7473)]
    [InlineData("ds-wikisql-mlx", "train.jsonl", 1000)]
    [InlineData("ds-toolcall-glaive", "glaive_toolcall_en_demo.json", 300)]
    [InlineData("ds-toolcall-glaive", "identity.json", 91)]
    [InlineData("ds-banking77", "train.csv", 10003)]
    [InlineData("ds-e2e-lora", "valid.txt", 4672)]
    [InlineData("ds-tinyshakespeare", "input.txt", 1)]
    public void Real_data_sets_are_read_whole(string folder, string file, int count)
    {
        DataSource source = new() { Path = GoldenData.Shared(folder, file) };
        source = folder switch
        {
            "ds-gsm8k" => source with { Prompt = "{question}\n", Completion = "{answer}" },
            "ds-banking77" => source with { Prompt = "{text} ->", Completion = " {category}" },
            "ds-e2e-lora" => source with { Separator = "||" },
            _ => source,
        };
        (_, DataRow[] rows, ProblemList problems) = Read(source);
        problems.Lines.ShouldBeEmpty();
        rows.Length.ShouldBe(count);
    }

    private string Written(string name, string content)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private static (DataReader Reader, DataRow[] Rows, ProblemList Problems) Read(DataSource source, bool hasChatTemplate = false)
    {
        ProblemList problems = new();
        DataReader reader = new(source, hasChatTemplate, problems);
        return (reader, [.. reader.Read()], problems);
    }

    private static string Describe(DataRow row) => row switch
    {
        TextRow text => text.Text,
        PromptRow prompt => $"{prompt.Prompt}|{prompt.Completion}",
        ChatRow chat => chat.Messages.ToJsonString() + (chat.Given > 0 ? $" after {chat.Given}" : ""),
        _ => "",
    };
}
