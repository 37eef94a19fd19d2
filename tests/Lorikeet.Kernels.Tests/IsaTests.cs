namespace Lorikeet.Kernels.Tests;

public sealed class IsaTests
{
    [Theory]
    [InlineData(null, true, KernelTier.Assembled512)]
    [InlineData("", true, KernelTier.Assembled512)]
    [InlineData("nonsense", true, KernelTier.Assembled512)]
    [InlineData("assembled", true, KernelTier.Assembled512)]
    [InlineData("portable", true, KernelTier.Vector512)]
    [InlineData("reference", true, KernelTier.Reference)]
    [InlineData(" Vector128 ", true, KernelTier.Vector128)]
    [InlineData("vector256", true, KernelTier.Vector256)]
    [InlineData(null, false, KernelTier.Vector512)]
    [InlineData("assembled", false, KernelTier.Vector512)]
    public void The_variable_names_the_kernels(string? value, bool assembled, KernelTier tier) => Isa.Choose(value, KernelTier.Vector512, assembled).ShouldBe(tier);

    [Fact]
    public void A_value_that_names_no_kernels_is_a_problem_that_names_those_there_are()
    {
        Isa.ProblemOf("banana")!.ShouldContain("LORIKEET_KERNELS=banana: expected reference, portable, ");
        Isa.ProblemOf("portable,reference").ShouldNotBeNull();
        Isa.ProblemOf(null).ShouldBeNull();
        Isa.ProblemOf("Portable").ShouldBeNull();
    }

    [Fact]
    public void Nothing_wider_than_the_processor_is_chosen()
    {
        Isa.Choose("vector512", KernelTier.Vector128, false).ShouldBe(KernelTier.Vector128);
        Isa.Choose("assembled", KernelTier.Vector256, true).ShouldBe(KernelTier.Assembled256);
        Isa.Choose(null, KernelTier.Vector128, true).ShouldBe(KernelTier.Vector128);
    }

    [Fact]
    public void The_description_names_the_kernels_in_use() => Isa.Description.ShouldStartWith(Isa.Tier.ToString().ToLowerInvariant() + " kernels");
}
