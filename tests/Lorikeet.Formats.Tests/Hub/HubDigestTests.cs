namespace Lorikeet.Formats.Tests;

public sealed class HubDigestTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_tag_of_40_digits_is_gits_blob_id()
    {
        File.WriteAllText(_file, "what is up, doc?"); // the example of the book "Pro Git", chapter 10.2
        HubDigest.Compute(new string('0', 40), _file).ShouldBe("bd9dbf5aae1a3862dd1526723246b20206e5fc37");
    }

    [Fact]
    public void A_tag_of_64_digits_is_sha_256()
    {
        File.WriteAllText(_file, "abc"); // the example of FIPS 180-2
        HubDigest.Compute(new string('0', 64), _file).ShouldBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    [Fact]
    public void Any_other_tag_proves_nothing() => HubDigest.Compute("0123456789abcdef0123456789abcdef", _file).ShouldBeNull();
}
