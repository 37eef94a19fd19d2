using System.Runtime.InteropServices;
using Lorikeet.Cli;

using CancellationTokenSource interrupted = new();
// the first Ctrl-C asks the command to end in good order; a second one ends the process
Action<PosixSignalContext> stop = signal =>
{
    signal.Cancel = !interrupted.IsCancellationRequested;
    interrupted.Cancel();
};
using PosixSignalRegistration onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, stop);
using PosixSignalRegistration onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, stop);
return CommandLine.Run(args, Terminal.OfProcess(interrupted.Token));
