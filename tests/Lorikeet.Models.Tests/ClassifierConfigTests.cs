using Lorikeet.Formats;
using Lorikeet.Tensors;

namespace Lorikeet.Models.Tests;

public class ClassifierConfigTests
{
    [Fact]
    public void Labels_have_the_names_of_id2label_in_the_order_of_their_numbers() =>
        Read("""{"id2label": {"1": "no", "0": "yes", "2": "perhaps"}, "num_labels": 7}""").Labels.ShouldBe(["yes", "no", "perhaps"]);

    [Fact]
    public void Or_as_many_as_num_labels_says_and_two_where_nothing_does()
    {
        Read("""{"num_labels": 3}""").Labels.ShouldBe(["LABEL_0", "LABEL_1", "LABEL_2"]);
        Read("{}").Labels.ShouldBe(["LABEL_0", "LABEL_1"]);
        Read("""{"id2label": null, "num_labels": 1}""").Labels.ShouldBe(["LABEL_0"]);
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{"problem_type": null}""", null)]
    [InlineData("""{"problem_type": "regression"}""", ProblemType.Regression)]
    [InlineData("""{"problem_type": "single_label_classification"}""", ProblemType.SingleLabel)]
    [InlineData("""{"problem_type": "multi_label_classification"}""", ProblemType.MultiLabel)]
    public void The_kind_of_problem_is_optional(string json, ProblemType? expected) => Read(json).Problem.ShouldBe(expected);

    [Theory]
    [InlineData("""{"model_type": "llama"}""", null)]
    [InlineData("""{"model_type": "llama", "pad_token_id": 7}""", 7)]
    [InlineData("""{"model_type": "llama", "pad_token_id": -1}""", -1)]
    [InlineData("""{"model_type": "phi3"}""", 32000)]
    [InlineData("""{"model_type": "phi3", "pad_token_id": null}""", null)]
    [InlineData("""{"model_type": "smollm3"}""", 128004)]
    public void Padding_is_what_the_file_says_or_the_familys_own(string json, int? expected) => Read(json).PadToken.ShouldBe(expected);

    [Fact]
    public void Every_problem_is_told_at_once()
    {
        JsonConfig config = JsonConfig.Parse("""{"id2label": {"0": "a", "5": "b", "x": "c"}, "problem_type": "guess", "pad_token_id": "none"}""", "config.json");
        ClassifierConfig.Read(config);
        string error = Should.Throw<InputException>(config.Check).Message;
        error.ShouldContain("`id2label`: 3 labels are numbered from 0 to 2, found \"5\"");
        error.ShouldContain("found \"x\"");
        error.ShouldContain("`problem_type`: regression, single_label_classification or multi_label_classification was expected, found \"guess\"");
        error.ShouldContain("`pad_token_id`: found");
        JsonConfig empty = JsonConfig.Parse("""{"id2label": {}}""", "config.json");
        ClassifierConfig.Read(empty);
        Should.Throw<InputException>(empty.Check).Message.ShouldContain("`id2label`: is empty");
    }

    private static ClassifierConfig Read(string json)
    {
        JsonConfig config = JsonConfig.Parse(json, "config.json");
        ClassifierConfig read = ClassifierConfig.Read(config);
        config.Check();
        return read;
    }
}
