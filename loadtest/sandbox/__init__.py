"""The provider sandbox: APNs, FCM, Twilio and SMTP on loopback, and a journal of what they took."""
