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

    [Theory]
    [InlineData(null, KernelTier.Reference, true, null)]
    [InlineData("vector128", KernelTier.Reference, false, "there are no such registers here")]
    [InlineData("vector512", KernelTier.Vector256, true, "there are no such registers here")]
    [InlineData("vector256", KernelTier.Vector512, true, null)]
    [InlineData("portable", KernelTier.Vector128, false, null)]
    [InlineData("reference", KernelTier.Vector512, true, null)]
    [InlineData("assembled", KernelTier.Vector512, true, null)]
    [InlineData("assembled", KernelTier.Vector128, false, "no AVX2")]
    public void What_is_asked_for_and_does_not_run_has_its_reason(string? wanted, KernelTier widest, bool assembled, string? reason)
    {
        Isa.WhyOtherThan(wanted, widest, assembled ? null : "no AVX2").ShouldBe(reason);
    }
}
