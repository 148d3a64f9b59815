#!/usr/bin/perl
#
# answers-all.pl SERVICE USER [cancel]
#
# A PAM client like the web interface of Proxmox VE: it answers every question
# and message of PAM with the one string that it has read from standard input.
# With `cancel`, it does not answer at all. It prints every message, and "in as
# USER" when PAM has let the user in.

use strict;
use warnings;
use Authen::PAM qw(:constants);

my ($service, $user, $cancel) = @ARGV;
binmode STDIN;
my $string = do { local $/; <STDIN> } // '';

my $pam = Authen::PAM->new($service, $user, sub {
    my @answers;
    while (@_) {
        my ($kind, $message) = splice @_, 0, 2;
        print "$message\n";
        push @answers, 0, $string;
    }
    return $cancel ? PAM_CONV_ERR() : (@answers, PAM_SUCCESS());
});
ref $pam or die "pam_start: $pam\n";
$pam->pam_set_item(PAM_RHOST(), '::ffff:192.0.2.7');

my $result = $pam->pam_authenticate(0);
$result = $pam->pam_acct_mgmt(0) if $result == PAM_SUCCESS();
if ($result != PAM_SUCCESS()) {
    print 'refused: ', $pam->pam_strerror($result), "\n";
    exit 1;
}
print "in as $user\n";
