namespace Lorikeet.Kernels.Tests;

public sealed class IsaTests
{
    [Theory]
    [InlineData(null, KernelTier.Vector512)]
    [InlineData("", KernelTier.Vector512)]
    [InlineData("portable", KernelTier.Vector512)]
    [InlineData("nonsense", KernelTier.Vector512)]
    [InlineData("reference", KernelTier.Reference)]
    [InlineData(" Vector128 ", KernelTier.Vector128)]
    [InlineData("vector256", KernelTier.Vector256)]
    public void The_variable_names_the_kernels(string? value, KernelTier tier) => Isa.Choose(value, KernelTier.Vector512).ShouldBe(tier);

    [Fact]
    public void Nothing_wider_than_the_processor_is_chosen() => Isa.Choose("vector512", KernelTier.Vector128).ShouldBe(KernelTier.Vector128);

    [Fact]
    public void The_description_names_the_kernels_in_use() => Isa.Description.ShouldStartWith(Isa.Tier.ToString().ToLowerInvariant() + " kernels");
}
