using Lorikeet.Cli.Training;
using Lorikeet.Tensors;

namespace Lorikeet.Cli.Tests;

public sealed class OutputLockTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"lorikeet-{Guid.NewGuid():N}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_second_run_is_kept_out_while_the_first_one_holds_the_folder()
    {
        using OutputLock first = OutputLock.Take(_folder);

        Should.Throw<InputException>(() => OutputLock.Take(_folder)).Message.ShouldContain("another run is writing into this folder");
    }

    [Fact]
    public void What_an_ended_run_left_keeps_nobody_out()
    {
        OutputLock.Take(_folder).Dispose();

        OutputLock.Take(_folder).Dispose();
    }
}
