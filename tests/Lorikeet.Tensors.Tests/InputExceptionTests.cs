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
}
