namespace Lorikeet.Tensors.Tests;

public class InputExceptionTests
{
    [Fact]
    public void One_problem_is_the_message()
    {
        InputException exception = new("train.yaml:3: no such key");
        (exception.Message, exception.Problems.Count).ShouldBe(("train.yaml:3: no such key", 1));
        new InputException("broken", new IOException("disk")).InnerException!.Message.ShouldBe("disk");
    }

    [Fact]
    public void Several_problems_stand_under_a_headline()
    {
        InputException exception = new("train.yaml: 2 problems", ["line 3: no such key", "line 5: a number was expected"]);
        exception.Message.ShouldBe("train.yaml: 2 problems\n  - line 3: no such key\n  - line 5: a number was expected");
        exception.Problems.Count.ShouldBe(2);
    }

    [Fact]
    public void Of_many_problems_the_first_are_shown_and_the_others_counted()
    {
        InputException all = new("m.gguf", [.. Enumerable.Range(0, 1300).Select(i => $"tensor {i} is missing")]);
        all.Message.Split('\n').Length.ShouldBe(22);
        all.Message.ShouldEndWith("tensor 19 is missing\n  - … and 1,280 more");
        all.Problems.Count.ShouldBe(1300);
        new InputException("rows", ["one", "two"], 7).Message.ShouldBe("rows\n  - one\n  - two\n  - … and 5 more");
        new InputException("rows", ["one", "two"], 2).Message.ShouldBe("rows\n  - one\n  - two");
    }
}
