namespace Lorikeet.Architecture.Tests;

public class SolutionTests
{
    [Fact]
    public void The_solution_file_exists() => File.Exists(Path.Combine(GoldenData.Root, "Lorikeet.slnx")).ShouldBeTrue();
}
